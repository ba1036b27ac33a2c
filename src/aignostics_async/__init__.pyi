# The public names, each once; scripts/public_names.py makes _exports.py from this list.

from . import bulk as bulk, errors as errors, services as services, testing as testing
from ._account_models import Me as Me, Organization as Organization, User as User
from ._client import Client as Client
from ._config import (
    Limits as Limits,
    Retries as Retries,
    Settings as Settings,
    Timeouts as Timeouts,
    Transfers as Transfers,
    Uploads as Uploads,
)
from ._contract_check import check_contract as check_contract
from ._core._crc32c import (
    Crc32c as Crc32c,
    checksum_bytes as checksum_bytes,
    checksum_file as checksum_file,
    checksum_segments as checksum_segments,
    checksum_stream as checksum_stream,
    decode_crc32c as decode_crc32c,
    encode_crc32c as encode_crc32c,
)
from ._core._display_text import visible as visible
from ._core._pager import Page as Page, Pager as Pager
from ._environment_variables import (
    Account as Account,
    read_api_root as read_api_root,
    read_environment as read_environment,
    read_identity_providers as read_identity_providers,
    read_token_store as read_token_store,
)
from ._hooks import (
    Hooks as Hooks,
    RequestEvent as RequestEvent,
    ResponseEvent as ResponseEvent,
    RetryEvent as RetryEvent,
)
from ._inputs import InputArtifact as InputArtifact, Item as Item, Slide as Slide
from ._version import __version__ as __version__
from .auth import (
    CallableToken as CallableToken,
    Claims as Claims,
    ClientCredentials as ClientCredentials,
    DeviceCode as DeviceCode,
    FileStore as FileStore,
    IdentityProvider as IdentityProvider,
    KeyringStore as KeyringStore,
    MemoryStore as MemoryStore,
    RefreshToken as RefreshToken,
    StaticToken as StaticToken,
    StoredLogin as StoredLogin,
    Token as Token,
    TokenKey as TokenKey,
    TokenSet as TokenSet,
    TokenSource as TokenSource,
    TokenStore as TokenStore,
    login_browser as login_browser,
    login_device as login_device,
    logout as logout,
    token_claims as token_claims,
)
from .contracts._drift import ContractDrift as ContractDrift
from .contracts._protocol import Operation as Operation
from .doctor import (
    CheckState as CheckState,
    SetupCheck as SetupCheck,
    SetupReport as SetupReport,
    check_setup as check_setup,
)
from .downloads._completed_items import CompletedItem as CompletedItem, CompletedItems as CompletedItems
from .downloads._outcomes import (
    DownloadReport as DownloadReport,
    FileOutcome as FileOutcome,
    FileStatus as FileStatus,
)
from .downloads._results_table import write_table as write_table
from .errors import (
    AignosticsError as AignosticsError,
    APIStatusError as APIStatusError,
    AuthenticationError as AuthenticationError,
    BadRequest as BadRequest,
    ChecksumMismatch as ChecksumMismatch,
    ChecksumMissing as ChecksumMissing,
    ClusterLost as ClusterLost,
    ClusterRefused as ClusterRefused,
    ConfigurationError as ConfigurationError,
    Conflict as Conflict,
    ConnectionFailed as ConnectionFailed,
    DiskFull as DiskFull,
    FileUnwritable as FileUnwritable,
    Forbidden as Forbidden,
    Gone as Gone,
    InvalidItems as InvalidItems,
    InvalidResponse as InvalidResponse,
    InvalidSubmission as InvalidSubmission,
    ItemFailed as ItemFailed,
    JobBusy as JobBusy,
    JobDatabaseError as JobDatabaseError,
    JobError as JobError,
    JobRefused as JobRefused,
    JobStateError as JobStateError,
    JobStopped as JobStopped,
    LocalFileChanged as LocalFileChanged,
    LoginDenied as LoginDenied,
    LoginRequired as LoginRequired,
    LoginTimeout as LoginTimeout,
    MissingExtra as MissingExtra,
    NotASlide as NotASlide,
    NotFound as NotFound,
    NotInContract as NotInContract,
    PlatformDown as PlatformDown,
    PreconditionFailed as PreconditionFailed,
    QuotaExceeded as QuotaExceeded,
    RequestTimeout as RequestTimeout,
    ResolutionConflict as ResolutionConflict,
    ResolutionUnknown as ResolutionUnknown,
    ResultsDeleted as ResultsDeleted,
    RunCancelled as RunCancelled,
    RunFailed as RunFailed,
    RunVanished as RunVanished,
    ServerError as ServerError,
    SlideError as SlideError,
    SubmissionUnknown as SubmissionUnknown,
    TokenEndpointUnavailable as TokenEndpointUnavailable,
    TokenStoreError as TokenStoreError,
    TooManyRequests as TooManyRequests,
    TransferError as TransferError,
    TransferInterrupted as TransferInterrupted,
    Unauthorized as Unauthorized,
    UnprocessableRequest as UnprocessableRequest,
    UnsafePath as UnsafePath,
    UrlRefused as UrlRefused,
    UsageError as UsageError,
)
from .models import (
    Application as Application,
    ApplicationVersion as ApplicationVersion,
    ArtifactScope as ArtifactScope,
    Document as Document,
    Fault as Fault,
    HealthStatus as HealthStatus,
    InputArtifactSpec as InputArtifactSpec,
    InvalidItem as InvalidItem,
    ItemResult as ItemResult,
    ItemStatus as ItemStatus,
    OutputArtifact as OutputArtifact,
    OutputArtifactSpec as OutputArtifactSpec,
    RunDetails as RunDetails,
    RunStatistics as RunStatistics,
    RunStatus as RunStatus,
)
from .resources import Health as Health
from .resources._applications import Applications as Applications
from .resources._run import Run as Run
from .resources._runs import Runs as Runs
from .slides import (
    FoundSlides as FoundSlides,
    IdentifyingKind as IdentifyingKind,
    IdentifyingPolicy as IdentifyingPolicy,
    LeftOut as LeftOut,
    LeftOutReason as LeftOutReason,
    Remark as Remark,
    SlideInfo as SlideInfo,
    find_slides as find_slides,
    read_slide as read_slide,
    read_slides as read_slides,
)
from .storage import (
    GCS as GCS,
    S3 as S3,
    AwsKey as AwsKey,
    Azure as Azure,
    Checksums as Checksums,
    HmacKey as HmacKey,
    PlatformBucket as PlatformBucket,
    Presigned as Presigned,
    SignedUrl as SignedUrl,
    Store as Store,
    StoreAddress as StoreAddress,
    StoreContext as StoreContext,
    Stored as Stored,
    Verify as Verify,
    put_once as put_once,
)
from .submission import FoundRuns as FoundRuns, read_metadata as read_metadata
from .transfer.progress._events import (
    Progress as Progress,
    ProgressLines as ProgressLines,
    TransferEvent as TransferEvent,
    TransferTally as TransferTally,
)
from .transfer.progress._terminal_bars import ProgressBars as ProgressBars
from .watch import Change as Change, Watcher as Watcher
