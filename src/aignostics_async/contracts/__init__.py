"""The only package that sees generated code: `_requests` builds and sends, `_decoding` reads responses."""
