"""Building blocks that know nothing of the platform.

- values: `_json`, `_crc32c`, `_token`, `_secret`, `_display_text`, `_redaction`, `_logging`
- requests: `_urls`, `_proxies`, `_backoff`, `_pager`
- files: `_atomic_file`, `_file_lock`, `_file_names`, `_file_fingerprint`, `_state_folder`
- concurrency: `_tasks`, `_uncancellable`, `_lifetime`, `_clock`
- imports: `_lazy_exports`
"""
