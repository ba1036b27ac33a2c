"""What the platform is like at the moment, as the control API sets it."""

from __future__ import annotations

from math import inf
from typing import Literal

from attrs import field, frozen
from attrs.validators import and_, ge, in_, instance_of, lt, optional

HEALTH = ("UP", "DEGRADED", "DOWN")


@frozen(kw_only=True)
class Conditions:
    """Circumstances that a client meets in production. The defaults are those of a new emulator."""

    health: Literal["UP", "DEGRADED", "DOWN"] = field(default="UP", validator=in_(HEALTH))
    """What `GET ROOT/health` answers; nothing else depends on it."""
    remaining_slides: int | None = field(default=None, validator=optional(and_(instance_of(int), ge(0))))
    """Items that the organization may still submit: a run of more is refused with 402. None for no quota."""
    empty_runs: Literal["page", "404"] = field(default="page", validator=in_(("page", "404")))
    """How contract 1.8 answers a page of runs that has no entries: as an empty list, or with 404."""
    lists_urls: bool = field(default=True, validator=instance_of(bool))
    """Whether items of contract 1.8 carry the deprecated download URLs of their artifacts."""
    artifact_file: Literal["redirect", "body"] = field(
        default="redirect", validator=in_(("redirect", "body"))
    )
    """How contract 1.8 hands out an artifact: as a redirect to a signed URL, or as the bytes themselves."""
    filters_metadata: bool = field(default=True, validator=instance_of(bool))
    """Whether listings of runs of contract 1.8 are filtered by custom metadata; else they hold all runs."""
    metadata_late_s: float = field(default=0.0, validator=[ge(0), lt(inf)])
    """Seconds of the emulator's clock after which contract 1.8 shows the custom metadata of a new run."""
