"""Exactly one run for each chunk of items, although requests for runs are not idempotent.

`_protocol` decides what to do about one chunk, without I/O, by `_matching` (is that its run?) and
`_quiescence` (is there no run?). `_submitter` carries that out through `_platform`. `_duplicates` settles
runs that the database does not know, by `_ownership`. `_chunking` and `_tags` are helpers.
"""
