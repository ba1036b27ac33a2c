"""The state of the emulated platform, in words of its own, whatever the contract, and without HTTP.

- `_platform`: all of it, as endpoints hold it. Made of `_history`, `_access`, `_objects`, `_token_registry`,
  `_pending_logins` and `_simulated_clock`, which `_state_database` stores in `_tables`.
- `_catalogue`, `_account`, `_conditions`: what there is to run, who asks, what the platform is like.
- `_lifecycle`, `_analysis`: what becomes of runs; `_stored`, `_item_counts`: what they are at a moment.
- `_json_path`: filters by metadata.
"""
