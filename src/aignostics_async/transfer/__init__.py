"""Bytes between files and storages, in worker threads.

- `_download` with `_ranged_download`, `_upload`, `_multipart_upload` and `_request` are what other packages
  call; `_renewal` sends once more what was refused for its signature.
- `_engine` joins the event loop to `_threads`, whose calls `_cancel_token` stops; `_limits` decides how many
  connections are worth having, and `_ranges` which of them fetches which bytes.
- `connections/` speaks HTTP, `files/` writes under hidden names, and `progress/` reports what is done.
- `_object_facts` reads what a storage says of an object.
"""
