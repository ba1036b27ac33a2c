"""Bytes between files and storages, in worker threads.

Pure: `_ranges` plans which bytes are fetched, `_limits` decides how many connections are worth having,
`_http1` reads answers, `_responses` decides what a refusal means.

Blocking: `_threads` and `_cancel_token` run calls that can be stopped; `_addresses`, `_connection` and
`_pool` speak HTTP; `_file_io` and `_partial_file` write files, and `_resume_record` stores what is there.
`_engine` joins them to the event loop.

`_download` with `_ranged_download`, `_upload`, `_multipart_upload` and `_request` are what other packages
call. `_renewal` sends once more what was refused for its signature; `_progress` and `_progress_bars` report
what is done.
"""
