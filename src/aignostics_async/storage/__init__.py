"""Object stores behind one small protocol.

`_protocol` is what a store is, `_addresses` finds the one that an address names, `_upload` sends to any of
them. `_object_store` has the rule by which this package's own stores verify uploads: `_bucket` (S3, Google
Cloud Storage), `_azure`, `_presigned` and `_signing_store`. `_clouds` is how users name the first two, and
`_platform_bucket` the one that the platform gives to an organization.
"""

from ._addresses import StoreAddress
from ._azure import Azure
from ._checksum_negotiation import Checksums
from ._clouds import GCS, S3
from ._context import StoreContext
from ._platform_bucket import PlatformBucket
from ._presigned import Presigned, SignedUrl
from ._protocol import Store, Stored, Verify
from ._signature_v4 import AwsKey, HmacKey
from ._upload import put_once

__all__ = [
    "GCS",
    "S3",
    "AwsKey",
    "Azure",
    "Checksums",
    "HmacKey",
    "PlatformBucket",
    "Presigned",
    "SignedUrl",
    "Store",
    "StoreAddress",
    "StoreContext",
    "Stored",
    "Verify",
    "put_once",
]
