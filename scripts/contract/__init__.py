"""The modules of `make spec-diff`, `make update-spec` and `make add-contract`.

lines      the lines of the contract: document, overlay, package
document   read a specification, or say why the file is not one
changes    what is added, removed, renamed and changed between two contracts
schemas    the part of `changes` for schemas
change     one change: subject, kind, places, effect
names      match removed things with added ones that are renames
shapes     schemas as values: what they accept, and their text in a line
usage      which lines of src use an operation, a parameter, a schema, a field, an enum value
redocly    Redocly's diff of the same two documents
severity   breaking, additive or cosmetic
report     markdown for people, JSON for machines
types      the type check of the façade against a new client
changelog  the entry for a contract that was updated
swap       replace files of the tree: all of them or none
"""
