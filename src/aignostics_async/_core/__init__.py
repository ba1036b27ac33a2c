"""Building blocks that know nothing of the platform.

- texts: `_display_text` for people, `_redaction` and `_secret` for what must not show, `_logging`
- values: `_arguments` and `_misuse` check what users pass; `_json`, `_crc32c`, `_token`
- requests: `_urls`, `_proxies`, `_backoff`, `_pager`
- files: `_atomic_file`, `_file_lock`, `_file_names`, `_file_fingerprint`, `_state_folder`
- concurrency: `_tasks`, `_threads`, `_uncancellable`, `_lifetime`, `_clock`
- systems: `_portable` for POSIX and Windows; `_lazy_exports` for imports that stay fast
"""
