"""Contract 1.8 and what is added to it: the contract that the live platform speaks.

- `_translation`: the handler of each operation, and who may call them
- `_catalogue`: applications, versions, documents
- `_runs`, `_items`: runs, their items and artifacts, custom metadata; `_states`: their states
- `_access`: grants and share tokens; `_account`: `GET /v1/me`
"""
