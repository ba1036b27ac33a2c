"""The plan of a job: fixed when it is created, kept in its database, the same after every restart."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from attrs import asdict, evolve, field, fields, frozen
from attrs.converters import optional

from .._client import Client
from .._core._arguments import check_kind
from .._core._json import plain_mapping
from .._core._secret import conceals_fields
from .._core._urls import check_root, has_user_name
from .._identifiers import as_version_id
from ..contracts._lines import line_of
from ..contracts._protocol import RunOptions, refuse_reserved_key
from ..errors import (
    AignosticsError,
    ConfigurationError,
    JobDatabaseError,
    JobRefused,
    UsageError,
)
from ..slides.privacy._identifying import as_policies
from ..storage import Checksums
from ._price import as_price, check_currency
from .reconciliation._quiescence import ReconciliationTimeouts

if TYPE_CHECKING:
    from .database._job_folder import JobFolder

MAX_CHUNK_SIZE = 500
"""Items that the platform accepts in one run."""
_MAX_PREFIX = 200


def _whole(minimum: int, maximum: int | None = None) -> Callable[[object, Any, Any], None]:
    def check(_plan: object, attribute: Any, value: Any) -> None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not minimum <= value <= (maximum or value):
            bounds = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
            raise ConfigurationError(f"{attribute.name} is a whole number, {bounds}, not {value!r}")

    return check


def _at_least_one(plan: object, attribute: Any, value: Any) -> None:
    if value is not None:
        _whole(1)(plan, attribute, value)


def _yes_or_no(_plan: object, attribute: Any, value: Any) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name} is True or False, not {value!r}")


def _address(_plan: object, _attribute: Any, value: Any) -> None:
    problem = _address_problem(value)
    if problem is not None:
        raise ConfigurationError(problem)


def _address_problem(value: object) -> str | None:
    """Return why a store's address can't be used; one that holds a secret can't, since the plan is a file."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        return "store is the address of a store, such as s3://bucket/prefix"
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises for a password that has a slash
    except ValueError:
        return "store is no address; give one such as s3://bucket/prefix"
    if has_user_name(value) or parts.query or parts.fragment:
        return (
            "store must have no user name, password or query: a job keeps no secrets; credentials come from "
            "the environment"
        )
    return None


def _prefix(_plan: object, _attribute: Any, value: Any) -> None:
    is_key = isinstance(value, str) and value.isprintable() and len(value.encode()) <= _MAX_PREFIX
    if not is_key or any(part in (".", "..", "") for part in str(value).split("/")):
        raise ConfigurationError(
            f"prefix is what the keys of all objects begin with, such as lab-7/slides: at most "
            f"{_MAX_PREFIX} bytes, without a slash at its ends, not {value!r}"
        )


def _name(_plan: object, attribute: Any, value: Any) -> None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise ConfigurationError(f"{attribute.name} is the name of an input artifact, not {value!r}")


def _patient(_plan: object, _attribute: Any, value: Any) -> None:
    times = asdict(value).values() if isinstance(value, ReconciliationTimeouts) else ["none"]
    if not all(isinstance(each, int | float) and 0 < each < float("inf") for each in times):
        raise ConfigurationError(
            f"timeouts takes ReconciliationTimeouts(...) of seconds, each more than 0, not {value!r}"
        )


def _checksums(_plan: object, _attribute: Any, value: Any) -> None:
    if value not in get_args(Checksums):
        raise ConfigurationError(f"checksums is one of {', '.join(get_args(Checksums))}, not {value!r}")


def _metadata(_plan: object, _attribute: Any, value: Any) -> None:
    if value is None:
        return
    try:
        refuse_reserved_key(value)
        json.dumps(value, allow_nan=False, ensure_ascii=False, default=plain_mapping).encode()
    except (AignosticsError, TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"metadata of runs can't be sent: {error}") from None


def _context(_plan: object, _attribute: Any, value: Any) -> None:
    try:
        RunOptions(callback_context=value).check()
    except UsageError as error:
        raise ConfigurationError(str(error)) from None


def _as_time(value: datetime | str | None) -> datetime | None:
    """Return an aware time, also from the text of one in a plan's JSON."""
    if isinstance(value, str):
        with suppress(ValueError):  # what is no time is refused below
            value = datetime.fromisoformat(value)
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
        raise ConfigurationError(f"a time of a plan is aware, such as datetime.now(UTC), not {value!r}")
    return value


def _root(url: str) -> str:
    return check_root(url)


def _folder(path: str | Path | None) -> Path | None:
    try:
        folder = None if path is None else Path(path).absolute()
        if b"\0" in str(folder).encode():  # the database keeps the paths of the files in it
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigurationError(f"results is the path of a folder, not {path!r}") from None
    return folder


# Keys in the JSON that differ from the attributes: existing jobs keep theirs.
_KEYS = {"max_items": "most_items", "timeouts": "patience"}
_TIMEOUT_KEYS = {"quiescence": "quiet", "replica_lag": "lag", "ambiguity": "doubt", "late_commit": "late"}


@conceals_fields
@frozen(kw_only=True)
class JobPlan:
    """The plan of a job, without secrets.

        plan = JobPlan(
            api_root="https://platform.aignostics.com",
            application_version="he-tme:v1.0.0",
            store="s3://bucket/prefix",
            max_items=1000,
        )

    `api_root`, `application_version` and `store` are required. By default a run has 100 items, the number of
    billed items is not limited, references get no tag, slides that name the patient are refused, and others
    that may identify a person are sent with a warning. `create_job` sets `contract`.

    After the job was created, only `chunk_size`, `due_date` and `deadline` can change, by arguments of
    `BulkJob.run`, and `checksums` while it is "auto". Under contract 1.0 `run_preflight` and `create_job`
    raise NotInContract for a plan with `metadata`, `due_date`, `deadline` or `callback_context`.

    Raises ConfigurationError for a value of another type or out of range, a time without time zone, or a
    store address with a user name, password, query or fragment; and UsageError for an invalid version id or
    `identifying`.
    """

    api_root: str = field(converter=_root)
    """The URL of the platform's deployment, without `/api`."""
    application_version: str = field(converter=as_version_id)
    """The id of the application version, such as `"he-tme:v1.0.0"`."""
    store: str = field(validator=_address)
    """The address of the object store, such as `"s3://bucket/prefix"` or `"platform"`; see `Client.store`.

    Credentials are taken from the environment each time, because a job keeps no secrets.
    """
    prefix: str = field(default="aignostics-async", validator=_prefix)
    """The first part of the keys of all objects; `aignostics-async` by default, at most 200 bytes."""
    results: Path | None = field(default=None, converter=_folder)
    """The folder for output files; None, the default, for `results` in the job's folder."""
    chunk_size: int = field(default=100, validator=_whole(1, MAX_CHUNK_SIZE))
    """Items of one run, from 1 to 500; 100 by default.

    The platform may end a whole run because of failures, so smaller runs lose less.
    """
    reference_tag: bool = field(default=False, validator=_yes_or_no)
    """Whether each reference gets a tag of this job on the platform, which proves that a run is its own.

    False by default; then a second run of a chunk needs a person's decision, unless its mark proves the same,
    which runs have from contract 1.8 on.
    """
    max_items: int | None = field(default=None, validator=_at_least_one)
    """The maximum number of items that are billed; None, the default, for no limit."""
    price: Decimal | None = field(default=None, converter=as_price)
    """The price of an item, for the totals in reports; None, the default, for none. The platform tells none.

    A `Decimal`, or a number or text of one such as `"12.50"`; at least 0, and less than a billion.
    """
    currency: str | None = field(default=None, validator=check_currency)
    """The currency of the price, such as `"EUR"`, at most 8 characters; None, the default, for none."""
    artifact: str | None = field(default=None, validator=_name)
    """The name of the input artifact for the slides; None, the default, for the version's only one."""
    pack: bool = field(default=False, validator=_yes_or_no)
    """Whether slides of several files are sent as one zip even if the version does not list that format.

    False by default.
    """
    identifying: Mapping[str, str] = field(default=None, converter=as_policies, hash=False)
    """The policy for slides that may identify a person: `warn`, `refuse` or `allow`.

    Or a mapping from `label`, `macro`, `patient`, `case` and `name` to one of them; see `IdentifyingKind`. By
    default `patient` is refused, and all others are warned of.
    """
    decode: bool = field(default=False, validator=_yes_or_no)
    """Whether every pixel of each slide is decoded before it is sent; takes minutes for a large one.

    False by default.
    """
    checksums: Checksums = field(default="auto", validator=_checksums)
    """Whether requests to an S3 store carry checksums: `auto` (the default), `always` or `when_required`.

    `create_job` replaces `auto` by what the round trip with the store decided, for every process of the job.
    """
    timeouts: ReconciliationTimeouts = field(factory=ReconciliationTimeouts, validator=_patient)
    """How long to wait before concluding that a request has created no run; see `ReconciliationTimeouts`."""
    metadata: Mapping[str, Any] | None = field(default=None, validator=_metadata, repr=False, hash=False)
    """JSON values that the platform keeps with each run and finds it by; None, the default, for none.

    Those of items are columns of a manifest. Contract 1.0 has neither, and creating the job raises
    NotInContract.
    """
    due_date: datetime | None = field(default=None, converter=_as_time)
    """When the results are wanted, an aware time; None, the default, for no such time.

    The platform orders its work by it. A run that is requested later has none. Not in contract 1.0.
    """
    deadline: datetime | None = field(default=None, converter=_as_time)
    """When the platform cancels the runs that are not complete, an aware time; None, the default, for never.

    Nobody can change the deadline of a run. Once it has passed, the job creates no further run and stops for
    a person, who may give the rest a later one. Not in contract 1.0.
    """
    callback_context: Mapping[str, Any] | None = field(
        default=None, validator=_context, repr=False, hash=False
    )
    """What the platform's events about the runs repeat: at most 1024 bytes of JSON; None by default.

    Not in contract 1.0.
    """
    contract: str | None = field(default=None, converter=optional(line_of))
    """The contract under which the job was created; None until then, and in jobs from before there were two.
    """

    def to_json(self) -> str:
        """Return the plan as the text of a JSON object, which `from_json` reads.

            Path("plan.json").write_text(plan.to_json(), encoding="utf-8")

        The keys are the names of the fields, except two that keep their older names: `most_items` for
        `max_items`, and `patience` for `timeouts`. The latter is an object with `quiet` for `quiescence`,
        `lag` for `replica_lag`, `doubt` for `ambiguity` and `late` for `late_commit`, all in seconds. Times
        are ISO 8601 with an offset, the price and the path are texts, and None is null.
        """
        values = {each.name: _as_text(getattr(self, each.name)) for each in fields(type(self))}
        values["timeouts"] = _renamed(asdict(self.timeouts), _TIMEOUT_KEYS)
        return json.dumps(_renamed(values, _KEYS), indent=2, ensure_ascii=False, default=plain_mapping)

    @classmethod
    def from_json(cls, text: str | bytes) -> JobPlan:
        """Return the plan in a text that `to_json` returned.

            plan = JobPlan.from_json(Path("plan.json").read_bytes())

        Bytes are UTF-8. Keys that are missing, as in the text of an older release, have their defaults,
        except that a missing `identifying` is `warn` for every kind, as it was then. Raises JobDatabaseError
        if the text is not such JSON, if `api_root`, `application_version`, `store` or `patience` is missing,
        or if a value is invalid; and JobRefused if it has another key, as that of a newer release may.
        """
        try:
            values = _renamed(json.loads(text), _inverted(_KEYS))
            known = {each.name for each in fields(cls)}
            if newer := sorted(set(values) - known):
                raise JobRefused(
                    f"the job's plan says {', '.join(newer)}, which this release does not know; use the one "
                    "that made it, or a later one"
                )
            values.setdefault("identifying", "warn")  # what a job of 0.1.0 did
            timeouts = _renamed(values["timeouts"], _inverted(_TIMEOUT_KEYS))
            return cls(**{**values, "timeouts": ReconciliationTimeouts(**timeouts)})
        except JobRefused:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, AignosticsError) as error:
            raise JobDatabaseError(f"the job's plan can't be read ({error}); restore a copy of it") from None


def check_server(client: Client, plan: JobPlan) -> None:
    """Raise UsageError for what is no client, and JobRefused for one of another server than the plan's."""
    check_kind(client, Client, "client")
    if client.api_root != plan.api_root:
        raise JobRefused(
            f"the job is for {plan.api_root}, but the client signs in at {client.api_root}; "
            "use a client of that server"
        )


def results_folder(plan: JobPlan, folder: JobFolder) -> Path:
    """Return the absolute path of the folder for the outputs of a job."""
    return plan.results or folder.results.absolute()


def run_options(plan: JobPlan) -> RunOptions:
    """Return what each request for a run says beside its items."""
    return RunOptions(
        metadata=plan.metadata,
        due_date=plan.due_date,
        deadline=plan.deadline,
        callback_context=plan.callback_context,
    )


def replace_values(plan: JobPlan, **values: Any) -> JobPlan:
    """Return the plan with other values, apart from those that are None; raises ConfigurationError."""
    return evolve(plan, **{name: value for name, value in values.items() if value is not None})


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in values.items()}


def _inverted(names: Mapping[str, str]) -> dict[str, str]:
    return {new: old for old, new in names.items()}


def _as_text(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path | Decimal) else value
