"""What the platform answers, as frozen snapshots, and the faults that errors list.

Ids are `str`, times are aware, lists are tuples, an absent value is None. Signed URLs never show in a repr.
"""

from ._applications import (
    Application as Application,
    ApplicationVersion as ApplicationVersion,
    Document as Document,
    InputArtifactSpec as InputArtifactSpec,
    OutputArtifactSpec as OutputArtifactSpec,
)
from ._runs import (
    CHECKSUM_KEYS as CHECKSUM_KEYS,
    RESERVED_KEY as RESERVED_KEY,
    Fault as Fault,
    InvalidItem as InvalidItem,
    ItemResult as ItemResult,
    ItemResultDraft as ItemResultDraft,
    OutputArtifact as OutputArtifact,
    OutputArtifactDraft as OutputArtifactDraft,
    RunDetails as RunDetails,
    RunStatistics as RunStatistics,
)
from ._statuses import (
    ArtifactScope as ArtifactScope,
    HealthStatus as HealthStatus,
    ItemStatus as ItemStatus,
    RunStatus as RunStatus,
)
