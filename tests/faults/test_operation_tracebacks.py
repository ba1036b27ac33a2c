"""No secret in what tools show of a traceback, whichever operation of either contract fails, and however."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import itertools
import pkgutil
import uuid
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import aignostics_api_1_8.models
import pytest
from attrs import evolve
from leak_detector import SECRETS
from shown_variables import shown
from support import METADATA, signed_in

from aignostics_async import Client, Retries, Timeouts
from aignostics_async.emulator.process import IMPATIENT, Emulator

URL = "https://bucket.example.com/slide.tiff?X-Amz-Signature=PLANTED" + "PLANTED" * 20
SETTINGS = evolve(IMPATIENT, retries=Retries(attempts=1), timeouts=Timeouts(read=0.5))
PACKAGES = {"1.0": "aignostics_api", "1.8": "aignostics_api_1_8"}
ECHO = {"detail": [{"loc": ["body"], "msg": "no", "input": URL}]}
TROUBLES: dict[str, dict[str, Any]] = {
    **{str(status): {"status": status, "body": {"detail": "no"}} for status in (401, 403, 409, 429, 500)},
    "echo": {"status": 422, "body": ECHO},
    "malformed": {"status": 200, "body": {"share_token": "PLANTED", "download_url": URL, "x": [URL]}},
    "no json": {"status": 201, "body": f"share_token=PLANTED&next={URL}"},
    "cut": {"drop": "after"},
    "timeout": {"delay_s": 60},
    "cancelled": {"delay_s": 60},
}


def operations() -> Iterator[tuple[str, str]]:
    """Give each operation of each contract."""
    for contract, name in PACKAGES.items():
        public = importlib.import_module(f"{name}.api.public")
        for module in pkgutil.iter_modules(public.__path__):
            yield contract, module.name


OPERATIONS = list(operations())


def arguments(operation: ModuleType) -> dict[str, Any]:
    """Return arguments of an operation; what is a secret in them is marked."""
    values: dict[str, Any] = {
        "application_id": "he-tme",
        "version": "1.0.0",
        "name": "manual",
        "external_id": "a",
        "share_token": "PLANTED",
    }
    given = {}
    for name, parameter in inspect.signature(operation._get_kwargs).parameters.items():
        if name == "body":
            given[name] = body(parameter.annotation)
        elif name in values:
            given[name] = values[name]
        elif parameter.default is inspect.Parameter.empty:
            given[name] = str(uuid.UUID(int=1))
    return given


def body(kind: Any) -> Any:
    """Return the body of an operation, with a signed URL wherever it may be."""
    artifact = {"name": "slide", "download_url": URL, "metadata": METADATA}
    fields = inspect.signature(kind).parameters
    document: dict[str, Any] = {
        "application_version_id": "he-tme:v1.0.0",
        "application_id": "he-tme",
        "version_number": "1.0.0",
        "items": [{"reference": "a", "external_id": "a", "input_artifacts": [artifact]}],
        "callback_context": {"url": URL},
        "custom_metadata": {"url": URL},
        "relation": next(iter(aignostics_api_1_8.models.GrantRelation)),
        "resource_type": next(iter(aignostics_api_1_8.models.ResourceType)),
        "subject_type": next(iter(aignostics_api_1_8.models.SubjectType)),
        "resource_id": str(uuid.UUID(int=1)),
    }
    return kind.from_dict({name: value for name, value in document.items() if name in fields})


CASES = list(itertools.product(OPERATIONS, TROUBLES))


@pytest.mark.sampled(test=len(OPERATIONS), fast=0)
@pytest.mark.parametrize(
    ("contract", "name", "trouble"),
    [pytest.param(*operation, trouble, id="-".join((*operation, trouble))) for operation, trouble in CASES],
)
async def test_no_traceback_shows_a_secret(
    contract: str, name: str, trouble: str, emulator: Emulator
) -> None:
    operation: Any = importlib.import_module(f"{PACKAGES[contract]}.api.public.{name}")
    emulator.set_faults({"path": ".*/api/.*", **TROUBLES[trouble]})
    source = signed_in(emulator)
    async with Client(emulator.api_roots[contract], source, settings=SETTINGS, contract=contract) as client:
        await source.get_token()
        try:
            async with asyncio.timeout(0.2 if trouble == "cancelled" else 20):
                await client.call(operation, **arguments(operation))
        except BaseException as error:  # noqa: BLE001 - whatever comes is searched
            found = error
        else:
            assert trouble in ("malformed", "no json"), "it was meant to fail"
            return
    assert sorted({place for place, text in shown(found) if SECRETS.search(text)}) == []
