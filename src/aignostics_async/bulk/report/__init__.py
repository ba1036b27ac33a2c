"""The report of a job: what became of every item, for a person, a spreadsheet and a script.

- `_write`: `write_report`, which writes files of several formats from one consistent view.
- `_audit`: the outcome of each item and the status of the job; `_summary`: the totals of a job.
- `_rows`: items, runs and duplicates, streamed from the database.
- `_data_files`: the CSV and the JSON file; `html`: the page.
- `_next_steps`: what a person has to do about a job, for the page and the command line.
- `_consistent_view`: reads a database while another process writes to it.
- `_sanitizing`: texts without secrets and invisible characters; `_formatting`: numbers, times and states.
"""
