"""Object stores behind one small protocol."""

from ._azure import Azure
from ._clouds import GCS, S3
from ._open import StoreAddress, open_store
from ._presigned import Presigned
from ._signing import SigningStore
from ._store import Deleting, Store, Stored, put_once
from ._v4 import AwsKey

__all__ = [
    "GCS",
    "S3",
    "AwsKey",
    "Azure",
    "Deleting",
    "Presigned",
    "SigningStore",
    "Store",
    "StoreAddress",
    "Stored",
    "open_store",
    "put_once",
]
