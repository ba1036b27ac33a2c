"""Where access tokens come from, how they stay fresh, and where logins are kept."""

from .._core._token import Token, TokenSet, TokenSource
from ._endpoint import Claims, token_claims
from ._file_store import FileStore
from ._keyring_store import KeyringStore
from ._login_browser import login_browser
from ._login_device import DeviceCode, login_device
from ._logout import logout
from ._memory_sources import CallableToken, ClientCredentials, StaticToken
from ._provider import IdentityProvider, TokenKey
from ._store import MemoryStore, TokenStore
from ._stored_sources import RefreshToken, StoredLogin

__all__ = [
    "CallableToken",
    "Claims",
    "ClientCredentials",
    "DeviceCode",
    "FileStore",
    "IdentityProvider",
    "KeyringStore",
    "MemoryStore",
    "RefreshToken",
    "StaticToken",
    "StoredLogin",
    "Token",
    "TokenKey",
    "TokenSet",
    "TokenSource",
    "TokenStore",
    "login_browser",
    "login_device",
    "logout",
    "token_claims",
]
