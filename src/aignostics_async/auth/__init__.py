"""Where access tokens come from."""

from ._refresh import RefreshToken
from ._sources import CallableToken, StaticToken, Token, TokenSource

__all__ = ["CallableToken", "RefreshToken", "StaticToken", "Token", "TokenSource"]
