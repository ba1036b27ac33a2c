"""From folders, lists and manifests to the slides of a job.

- `_sources`: what the user names; `_manifest`: a CSV file of slides; `_selection_rules`: include and exclude.
- `_walk`: from sources to files; `_discovery`: from files to slides, each with a reference.
- `_slide_entry`: one slide and what its source says of it.
"""
