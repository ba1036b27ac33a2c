"""The stages of a job, all at work at once: `_pipeline` runs them, `_context` holds what they share.

`_probing`, `_uploading`, `_submitting`, `_monitoring` and `_downloading` are the stages; `_stage` runs those
that work on items one by one. `_signals` wakes a stage, `_failure_policy` decides what a failure means,
`_billing` recognizes slides that were analysed before, `_throughput` counts, `_callbacks` guards the
callbacks of the caller.
"""
