"""Bulk stages on a Dask cluster: `_dask_engine` is the engine, `_open_engine` the engine at work.

`_connection` says which schedulers are protected, and `_handshake` what the workers are able to do. `_crowd`
lets a task that may have killed workers run alone, and `_bandwidth` divides the job's limit. `_sealed` and
`_requests` are what travels, `_worker` what runs on a worker, and `_worker_tools` what it works with there.
"""
