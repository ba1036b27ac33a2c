"""The names of attributes that ASGI layers set on a request's state."""

LAG = "lag_s"
"""The replica lag of the answer, in seconds."""
KNOWN = "has_known_token"
"""True if the token was checked successfully before."""
