"""The whole error tree.

    AignosticsError
    ├── ConfigurationError              something to set is missing or can't be used
    │   ├── MissingExtra                an optional dependency is not installed
    │   └── ClusterRefused              a cluster is not protected, or its workers differ from this process
    ├── UsageError                      a wrong argument, a closed client, a foreign event loop
    │   └── NotInContract               the contract that the client speaks can't express it
    ├── SlideError                      a slide can't be read
    │   ├── NotASlide                   its content is something else
    │   ├── ResolutionUnknown           its resolution is missing or implausible
    │   └── ResolutionConflict          a resolution that was given contradicts the file's own
    ├── InvalidSubmission               faults of a run request, all of them, found before it is sent
    ├── AuthenticationError
    │   ├── LoginRequired               no credential is left that could give a token
    │   ├── LoginDenied                 the identity provider refused
    │   ├── LoginTimeout                nobody signed in in time
    │   ├── TokenEndpointUnavailable    the identity provider can't be reached or is failing
    │   └── TokenStoreError             the place where logins are kept can't be used
    ├── ConnectionFailed                no answer from the API
    │   └── RequestTimeout
    ├── PlatformDown                    the platform says that it does not work
    ├── InvalidResponse                 an answer that does not fit the contract
    │   └── InvalidItems                some entries of a list can't be read; the others were given
    ├── APIStatusError                  an answer that says no, by class:
    │   ├── BadRequest                  400
    │   ├── Unauthorized                401
    │   ├── QuotaExceeded               402
    │   ├── Forbidden                   403
    │   ├── NotFound                    404
    │   │   └── RunVanished             a run that was there before
    │   ├── Conflict                    409
    │   ├── Gone                        410
    │   ├── PreconditionFailed          412
    │   ├── UnprocessableRequest        422
    │   ├── TooManyRequests             429
    │   └── ServerError                 5xx
    ├── SubmissionUnknown               a run may or may not have been created
    ├── RunFailed                       the platform rejected or gave up a run
    ├── RunCancelled                    a run was cancelled
    ├── ItemFailed                      an item of a run ended without results
    ├── JobError                        a bulk job can't be opened, or can't continue
    │   ├── JobBusy                     somebody else works on it
    │   ├── JobRefused                  it is another account's, server's, version's or release's
    │   ├── JobDatabaseError            its database can't be written or read
    │   ├── ClusterLost                 the cluster that runs its stages is gone
    │   ├── JobStateError               a step that does not follow from the state there is
    │   └── JobStopped                  it stopped before its end, and can be resumed
    └── TransferError
        ├── TransferInterrupted         the storage can't be reached, failed, or broke off
        ├── ChecksumMismatch            the bytes are not the ones that were promised
        ├── ChecksumMissing             nobody promised anything about the bytes
        ├── UrlRefused                  a signed URL has expired or is not valid for this request
        ├── ResultsDeleted              an output was deleted, by a user or after 30 days
        ├── LocalFileChanged            a file changed while it was read
        ├── DiskFull                    no space is left in the target or temporary folder
        ├── FileUnwritable              a downloaded file can't be written to its folder
        └── UnsafePath                  a name would leave the target folder

Every error pickles, says what to do next, and holds no token and no query of a signed URL.
"""

from ._api import (
    APIStatusError as APIStatusError,
    BadRequest as BadRequest,
    Conflict as Conflict,
    ConnectionFailed as ConnectionFailed,
    Forbidden as Forbidden,
    Gone as Gone,
    InvalidItems as InvalidItems,
    InvalidResponse as InvalidResponse,
    NotFound as NotFound,
    PlatformDown as PlatformDown,
    PreconditionFailed as PreconditionFailed,
    QuotaExceeded as QuotaExceeded,
    RequestTimeout as RequestTimeout,
    RunVanished as RunVanished,
    ServerError as ServerError,
    TooManyRequests as TooManyRequests,
    Unauthorized as Unauthorized,
    UnprocessableRequest as UnprocessableRequest,
    status_error_class as status_error_class,
)
from ._authentication import (
    AuthenticationError as AuthenticationError,
    LoginDenied as LoginDenied,
    LoginRequired as LoginRequired,
    LoginTimeout as LoginTimeout,
    TokenEndpointUnavailable as TokenEndpointUnavailable,
    TokenStoreError as TokenStoreError,
)
from ._base import (
    AignosticsError as AignosticsError,
    ConfigurationError as ConfigurationError,
    MissingExtra as MissingExtra,
    NotInContract as NotInContract,
    UsageError as UsageError,
    add_advice as add_advice,
    is_transient_code as is_transient_code,
    is_transient_status as is_transient_status,
)
from ._jobs import (
    ClusterLost as ClusterLost,
    ClusterRefused as ClusterRefused,
    JobBusy as JobBusy,
    JobDatabaseError as JobDatabaseError,
    JobError as JobError,
    JobRefused as JobRefused,
    JobStateError as JobStateError,
    JobStopped as JobStopped,
)
from ._runs import (
    InvalidSubmission as InvalidSubmission,
    ItemFailed as ItemFailed,
    RunCancelled as RunCancelled,
    RunFailed as RunFailed,
    SubmissionUnknown as SubmissionUnknown,
    run_error as run_error,
)
from ._slides import (
    NotASlide as NotASlide,
    ResolutionConflict as ResolutionConflict,
    ResolutionUnknown as ResolutionUnknown,
    SlideError as SlideError,
)
from ._transfers import (
    ChecksumMismatch as ChecksumMismatch,
    ChecksumMissing as ChecksumMissing,
    DiskFull as DiskFull,
    FileUnwritable as FileUnwritable,
    LocalFileChanged as LocalFileChanged,
    ResultsDeleted as ResultsDeleted,
    TransferError as TransferError,
    TransferInterrupted as TransferInterrupted,
    UnsafePath as UnsafePath,
    UrlRefused as UrlRefused,
)

# Tracebacks name the module that users import from.
for _each in list(globals().values()):
    if isinstance(_each, type):
        _each.__module__ = __name__
