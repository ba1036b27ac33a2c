"""Options that several commands have, and the client that they describe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from attrs import evolve
from cyclopts import Parameter, Token

from ..errors import UsageError

if TYPE_CHECKING:
    from .. import Client, Settings
    from ..bulk import BulkJob

Flag = Parameter(negative=(), show_default=False)
RunId = Annotated[str, Parameter(help="The id of the run, as 'runs list' prints it.")]
Json = Annotated[bool, Parameter(name="--json", negative=(), show_default=False, help="Print JSON.")]
PollInterval = Annotated[float, Parameter(help="Seconds between two requests for the status of a run.")]


def _whole(_type: Any, tokens: Sequence[Token]) -> int:
    """Return a whole number; the converter of cyclopts rounds 1.7 to 2, which might be items to be billed."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"it takes a whole number, not {text!r}.") from None


Whole = Annotated[int, Parameter(converter=_whole)]
Endpoint = Annotated[
    str | None,
    Parameter(
        help="The URL of the object store, for stores with the API of S3, GCS or Azure elsewhere. "
        "By default that of AWS_ENDPOINT_URL for S3 and STORAGE_EMULATOR_HOST for GCS, else the cloud's."
    ),
]
Bwlimit = Annotated[
    str | None,
    Parameter(
        help="Bytes per second for all transfers together, such as 500K, 20M or 1.5G; by default no limit."
    ),
]

Identifying = Annotated[
    tuple[str, ...],
    Parameter(
        negative=(),
        show_default=False,
        help="What to do about slides that may identify a person: warn, refuse or allow; or for one kind, as "
        "label=allow. Kinds are label, macro, patient, case and name. By default, patient is refused, and "
        "the others are warned of.",
    ),
]


Decode = Annotated[
    bool,
    Parameter(
        negative=(),
        show_default=False,
        help="Decode every pixel of each slide first; takes minutes for a large one.",
    ),
]


IncludeLabel = Annotated[
    bool,
    Parameter(
        negative=(),
        show_default=False,
        help="Also send the pictures of the label and the whole glass in DICOM series.",
    ),
]


def identifying_policies(values: Sequence[str]) -> dict[str, str]:
    """Return the policies of --identifying: one for all kinds, then those for single kinds."""
    from .. import IdentifyingKind, IdentifyingPolicy

    policies, kinds_known = ", ".join(IdentifyingPolicy), ", ".join(IdentifyingKind)
    for value in values:
        kind, separator, policy = value.rpartition("=")
        if policy not in {*IdentifyingPolicy} or (separator and kind not in {*IdentifyingKind}):
            raise UsageError(
                f"--identifying is one of {policies}, or KIND=POLICY for one of {kinds_known}, not {value!r}"
            )
    of_all = [value for value in values if "=" not in value][-1:]
    kinds = dict(value.split("=", 1) for value in values if "=" in value)
    return {**{kind: of_all[0] for kind in IdentifyingKind if of_all}, **kinds}


def client(
    poll_interval: float | None = None, bwlimit: str | None = None, *, job: BulkJob | None = None
) -> Client:
    """Return the client that the environment describes; for a job, by default with its own contract."""
    from .. import Client

    settings = settings_of(poll_interval, bwlimit)
    return Client.from_env(settings=settings, fallback_contract=None if job is None else job.contract)


def settings_of(poll_interval: float | None = None, bwlimit: str | None = None) -> Settings:
    """Return the settings that options tell; raises UsageError and ConfigurationError."""
    from .. import Settings, Transfers

    settings = Settings(transfers=Transfers(bandwidth=None if bwlimit is None else bytes_per_second(bwlimit)))
    return settings if poll_interval is None else evolve(settings, poll_interval=poll_interval)


def bytes_per_second(rate: str) -> float:
    """Return a rate that is a number with K, M or G for powers of a thousand; raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)", rate.strip().lower())
    value = float(found[1]) * 1000 ** " kmg".index(found[2] or " ") if found else 0
    if not value:
        raise UsageError(f"--bwlimit takes bytes per second such as 500K, 20M or 1.5G, not {rate!r}")
    return value


RunMetadata = Annotated[
    tuple[str, ...],
    Parameter(
        negative=(),
        show_default=False,
        help="What the platform keeps with each run, as KEY=VALUE, such as study.name=x for a field of the "
        "object study. Needs contract 1.8.",
    ),
]

TablePath = Annotated[
    Path | None,
    Parameter(help="Also write one table of all files; the suffix .csv or .parquet decides the format."),
]

SelectedMetadata = Annotated[
    tuple[str, ...],
    Parameter(
        name="--metadata",
        negative=(),
        show_default=False,
        help="Only runs that have this in their metadata, as KEY=VALUE, such as study.name=x for a field of "
        "the object study. Needs contract 1.8.",
    ),
]


DueDate = Annotated[
    str | None,
    Parameter(
        help="When the results are wanted, such as 2027-01-31T18:00 in the local time or with a zone; the "
        "platform orders its work by it. Needs contract 1.8."
    ),
]
Deadline = Annotated[
    str | None,
    Parameter(
        help="When the platform cancels a run that is not complete, such as 2027-01-31T18:00; it can't be "
        "changed for a run. Needs contract 1.8."
    ),
]


def as_time(text: str | None) -> datetime | None:
    """Return a time that an option names, in the local zone where it names none; raises UsageError."""
    try:
        return None if text is None else datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"a time is written as 2027-01-31T18:00, with a zone as in +01:00 or Z, not {text!r}"
        ) from None


def run_metadata(pairs: Sequence[str], option: str = "--metadata") -> dict[str, Any] | None:
    """Return the metadata of runs that the KEY=VALUE pairs of an option tell; None without any."""
    from .. import read_metadata

    return read_metadata(None, dict(key_value(pair, option) for pair in pairs)) or None


def key_value(pair: str, option: str = "--metadata") -> tuple[str, str]:
    """Return the two parts of KEY=VALUE; raises UsageError."""
    key, separator, value = pair.partition("=")
    if not key or not separator:
        raise UsageError(f"{option} takes KEY=VALUE, not {pair!r}")
    return key, value
