"""HTTP/1.1 with storages, on blocking sockets.

`_pool` keeps connections and makes exchanges of them. Below it, `_connection` sends a request and reads its
answer, `_http1` parses what arrives, `_addresses` dials, `_tls` encrypts, and `_proxy_urls` tells how a proxy
is reached. `_responses` decides what an answer means for a transfer.
"""
