"""What `make spec-diff` and `make update-spec` are made of.

document   read a specification, or say why it is none
changes    what is added, removed, renamed and changed between two contracts
schemas    the part of it that is about schemas
change     one change: to what, in which way, where, and with what effect
names      which of the added ones is the removed one under a new name
shapes     schemas as values: what they accept, and how to say it in a line
usage      which lines of ours use an operation, a parameter, a schema, a field, an enum value
redocly    what Redocly's diff says of the same two documents
severity   breaking, additive or cosmetic
report     markdown for people, JSON for machines
types      the type check of the façade against a new client
changelog  the entry for a contract that was taken in
swap       put new files into the tree: all of them or none
"""
