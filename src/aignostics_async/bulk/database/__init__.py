"""The database of a job, which is the only truth about it, and what stands beside it in the job's folder.

`_states` defines which state may follow which, `_schema` the tables. `_commands`, `_job_commands`,
`_run_commands` and `_retries` change them, `_queries` and `_samples` read them, through the `Database` of one
writer thread (`_writer`). `_job_folder` is the folder with its lock and its high-water mark, `_journal` the
events for people.
"""
