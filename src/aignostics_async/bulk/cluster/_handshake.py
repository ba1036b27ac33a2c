"""What is asked of a cluster before anything else: its versions, and what its workers are able to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from ...errors import ClusterRefused
from ..database._samples import Stage
from ._requests import WorkerFacts

PACKAGE = "aignostics_async"
_COMPARED = ("python", PACKAGE, "dask", "distributed", "cloudpickle", "msgpack", "tornado")
_TOLD = {PACKAGE: "aignostics-async"}
_MOST_NAMED = 3
_CREDENTIALS = (
    "give the workers AIGNOSTICS_CLIENT_ID and AIGNOSTICS_CLIENT_SECRET, or an AIGNOSTICS_ACCESS_TOKEN that "
    "outlives the job"
)
_MOUNT = "mount the folder on the workers under the same path, on a file system that all of them share"


@frozen
class Stay:
    """Why a stage runs on the coordinator, and what would change that."""

    reason: str
    remedy: str


def check_versions(told: Mapping[str, Any]) -> None:
    """Raise ClusterRefused, naming each difference between this process and scheduler or workers. Pure.

    `told` is what `Client.get_versions` returns. Of Python the minor version counts.
    """
    if differences := list(_differences(told)):
        shown = "; ".join(differences)
        raise ClusterRefused(
            f"the cluster's versions differ from those here: {shown}; install the same ones on all of them",
            differences=differences,
        )


def _differences(told: Mapping[str, Any]) -> Iterator[str]:
    here = told["client"]["packages"]
    others = {"the scheduler": told["scheduler"], **told["workers"]}
    for package in _COMPARED:
        found: dict[str, list[str]] = defaultdict(list)
        for address, versions in others.items():
            if package == PACKAGE and address == "the scheduler":
                continue  # it only passes on what is sealed
            theirs = _version(package, versions["packages"].get(package))
            if theirs != _version(package, here.get(package)):
                found[theirs].append(address)
        for theirs, places in found.items():
            ours = _version(package, here.get(package))
            yield f"{_TOLD.get(package, package)} is {ours} here and {theirs} on {_named(places)}"


def _version(package: str, version: str | None) -> str:
    if version is None:
        return "missing"
    return ".".join(version.split(".")[:2]) if package == "python" else version


def _named(places: Sequence[str]) -> str:
    more = len(places) - _MOST_NAMED
    shown = ", ".join(places[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def stays(
    facts: Mapping[str, WorkerFacts], *, user: str | None, has_address: bool, store_needs_api: bool
) -> dict[Stage, Stay]:
    """Return the stages that the workers can't do, each with the reason. Pure.

    `user` is the coordinator's user, hashed as the workers' are.
    """
    found: dict[Stage, Stay] = {}
    api = _api(facts, user)
    if not has_address:
        remedy = "give the store as an address, and its credentials in the environment of the workers"
        found[Stage.UPLOAD] = Stay("the store is an object of this process", remedy)
    elif store := _first(facts, lambda each: each.store):
        found[Stage.UPLOAD] = Stay(store, "give the workers the store's credentials in their environment")
    elif store_needs_api and api is not None:
        found[Stage.UPLOAD] = api
    unseen = "does not see the folder of results"
    if api is not None:
        found[Stage.DOWNLOAD] = api
    elif place := _first(facts, lambda each: None if each.sees_results else unseen):
        found[Stage.DOWNLOAD] = Stay(place, _MOUNT)
    return found


def _api(facts: Mapping[str, WorkerFacts], user: str | None) -> Stay | None:
    if reason := _first(facts, lambda each: each.api):
        return Stay(reason, _CREDENTIALS)
    other = "is signed in as another user, who can't see the runs"
    if reason := _first(facts, lambda each: other if _is_other(each.user, user) else None):
        return Stay(reason, _CREDENTIALS)
    return None


def _is_other(theirs: str | None, ours: str | None) -> bool:
    return theirs is not None and ours is not None and theirs != ours


def _first(facts: Mapping[str, WorkerFacts], reason_of: Any) -> str | None:
    """Return the reason of the first worker that has one, with its address."""
    for address, each in facts.items():
        if reason := reason_of(each):
            return f"the worker {address}: {reason}"
    return None


def remarks(found: Mapping[Stage, Stay]) -> tuple[tuple[str, str], ...]:
    """Return what a person should know: each a problem and its remedy. Pure."""
    words = {Stage.UPLOAD: "uploads", Stage.DOWNLOAD: "downloads"}
    return tuple(
        (f"{words[stage]} stay with this machine: {stay.reason}", stay.remedy)
        for stage, stay in found.items()
    )
