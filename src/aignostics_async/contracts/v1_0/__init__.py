"""The translation of 1.0: `_requests` builds and sends, `_decoding` reads responses."""
