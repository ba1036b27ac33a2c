"""Everything that can be known of a job before its first upload: its slides, their faults, its cost.

- `_preflight`: `run_preflight`, which runs every check and collects what they find.
- `_report`: `PreflightReport`; `_findings`: one fault or warning.
- `sources`: from folders, lists and manifests to slides with references.
- `_slide_probe`: what a slide says of itself, or a finding.
- `_requirements`: what an application version asks of a slide.
- `_earlier_runs`: slides that were run before; `_store_probe`: a round trip with the store.
"""
