"""What `make spec-diff` and `make update-spec` are made of.

document   read a specification, or say why it is none
changes    what is added, removed, renamed and changed between two contracts
names      which of the added ones is the removed one under a new name
usage      which lines of ours use an operation, a parameter, a schema, a field, an enum value
redocly    what Redocly's diff says of the same two documents
severity   breaking, additive or cosmetic
report     markdown for people, JSON for machines
swap       put new files into the tree: all of them or none
"""
