"""What runs the stages of a job: `_protocol` is what an engine is, `_tasks` its work, `_local` this machine.

An engine runs idempotent tasks only, and gives their results. The coordinator, which is the process of the
job, alone plans, reconciles, creates runs, watches them and writes the database.
"""
