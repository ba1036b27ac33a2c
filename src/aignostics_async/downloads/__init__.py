"""Results of runs into files.

`_run_download` and `_completed_items` are the two ways to download: one run with a report, or many runs item
by item. Both follow the `_listing` of a run, download each `_artifact` to its file, and give `_outcomes`. The
`_checksum_cache` tells which files need not be read again.
"""
