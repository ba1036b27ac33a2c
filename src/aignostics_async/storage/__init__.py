"""Object stores behind one small protocol."""

from ._addresses import StoreAddress, open_store
from ._azure import Azure
from ._clouds import GCS, S3
from ._presigned import Presigned
from ._protocol import (
    Deleting,
    Store,
    Stored,
    put_once,
)
from ._signature_v4 import AwsKey
from ._signing_store import SigningStore

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
