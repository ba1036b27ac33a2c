"""Storage over HTTP: `_signed_urls`, and `_buckets` with the APIs of S3 and Google Cloud Storage."""
