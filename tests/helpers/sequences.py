"""Sequences of requests that schemathesis makes up from a contract, against the emulator.

A contract says nothing of how its operations follow one another, nor which metadata a version takes. A
`SequencePlan` adds both to the document in memory, and so are the statuses that the emulator gives by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import schemathesis
from attrs import evolve, field, frozen
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import Flaky
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.generation.stateful import APIStateMachine

from aignostics_async.emulator.api._contract import load_document
from aignostics_async.emulator.api._undocumented import UNDOCUMENTED
from aignostics_async.emulator.platform._catalogue import find_version
from aignostics_async.emulator.process import Emulator


@frozen(kw_only=True)
class SequencePlan:
    """How the operations of a contract follow one another. Operations are texts such as "GET /v1/runs"."""

    contract: str
    create: str
    """The operation that creates a run."""
    run_id: str
    """The name of a run's id, in paths and in the answer of `create`."""
    life: tuple[str, ...]
    """A run from its creation to the deletion of its results, each with the documented success."""
    success: dict[str, int]
    """The statuses of success that are not 200."""
    follows: list[tuple[str, str, dict[str, str]]]
    """What can follow a success of what, and where its parameters come from.

    Nothing leads to the runs of earlier scenarios: the same requests would be answered otherwise the next
    time, which hypothesis refuses.
    """
    undocumented: dict[str, tuple[int, ...]]
    """The undocumented statuses of single operations; 401 is added to all."""
    narrow: Callable[[dict[str, Any]], None]
    """Narrows the document to what one version takes, so that most requests are accepted."""
    seed: int
    """Of the scenarios. Without it, they would depend on the source of the state machine too."""
    bodies: dict[tuple[str, str], dict[str, str]] = field(factory=dict)
    """The fields of bodies that come from the answer before, by its operation and the next one."""


@frozen
class Step:
    """One request and its answer."""

    operation: str
    status: int
    run_id: str | None
    expected: int

    @property
    def succeeded(self) -> bool:
        return self.status == self.expected


def operations(document: dict[str, Any]) -> set[str]:
    return {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}


def play(plan: SequencePlan, emulator: Emulator, *, scenarios: int, steps: int) -> list[list[Step]]:
    """Play scenarios of requests, and return their steps; schemathesis raises for a wrong answer."""
    # So slow that no run ends by itself: the same requests have the same answers every time.
    emulator.reset(speed=0.001)
    played: list[list[Step]] = []
    _machine(plan, emulator, played).run(
        settings=settings(
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            max_examples=scenarios,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
    )
    return played


def play_until(
    is_complete: Callable[[list[list[Step]]], bool],
    plan: SequencePlan,
    emulator: Emulator,
    *,
    scenarios: int,
    steps: int,
) -> bool:
    """Play with one seed after the other, ten at most, and return whether all is complete at last.

    What a seed makes up depends on the modules that are loaded, so that one alone may miss something rare.
    """
    played: list[list[Step]] = []
    for number in range(10):
        # The same request is answered otherwise if it takes too long once, as on a busy machine.
        with suppress(Flaky):
            played += play(evolve(plan, seed=plan.seed + number), emulator, scenarios=scenarios, steps=steps)
        if is_complete(played):
            return True
    return False


def is_whole_life(plan: SequencePlan, scenario: list[Step]) -> bool:
    """Return whether one run went through its whole life in this scenario, one step after the other."""
    run_ids = {step.run_id for step in scenario if step.operation == plan.create and step.succeeded}
    return any(
        _in_order(
            plan.life, [step.operation for step in scenario if step.run_id == run_id and step.succeeded]
        )
        for run_id in run_ids
    )


def version_schema(version_id: str) -> tuple[str, dict[str, Any]]:
    """Return the name of a version's only input, and the schema of its metadata."""
    version = find_version(version_id)
    assert version is not None
    (spec,) = version.inputs
    metadata = {name: value for name, value in spec.metadata_schema.items() if name != "$schema"}
    # Of the six characters the last one has two bits to say.
    checksum = {"type": "string", "pattern": "^[A-Za-z0-9+/]{5}[AQgw]==$"}
    metadata["properties"] = {**metadata["properties"], "checksum_base64_crc32c": checksum}
    return spec.name, metadata


def _operation(document: dict[str, Any], name: str) -> dict[str, Any]:
    method, _, path = name.partition(" ")
    found: dict[str, Any] = document["paths"][path][method.lower()]
    return found


def _extended(plan: SequencePlan) -> dict[str, Any]:
    """Return the contract with what it does not say: order, metadata, undocumented statuses."""
    document = copy.deepcopy(load_document(plan.contract))
    for source, target, parameters in plan.follows:
        answer = _operation(document, source)["responses"][str(plan.success.get(source, 200))]
        link = {"operationId": _operation(document, target)["operationId"], "parameters": parameters}
        if body := plan.bodies.get((source, target)):
            link |= {"requestBody": body, "x-schemathesis": {"merge_body": True}}
        answer.setdefault("links", {})[target] = link
    for name in operations(document):
        answers = _operation(document, name)["responses"]
        for status in (401, *plan.undocumented.get(name, ())):
            answers[str(status)] = {"description": UNDOCUMENTED[plan.contract][status]}
    plan.narrow(document)
    return document


def _configuration(plan: SequencePlan, emulator: Emulator) -> SchemathesisConfig:
    """Return how to reach the emulator, and which checks are off because they give false alarms here."""
    off = {"enabled": False}
    return SchemathesisConfig.from_dict(
        {
            "base-url": f"{emulator.api_roots[plan.contract]}/api",
            "headers": {"Authorization": f"Bearer {emulator.access_token}"},
            "checks": {
                # Deleting the results of a run deletes no run: it can be read afterwards.
                "use_after_free": off,
                # That references are unique is said in words only.
                "positive_data_acceptance": off,
            },
            "operations": [
                # In a query all is text: `include=false` is meant as no list, and read as a list of one text.
                {"include-method": "GET", "checks": {"negative_data_rejection": off}},
                # What is narrowed here so that requests succeed, such as references, is wider there.
                {"include-path": "/v1/runs", "checks": {"negative_data_rejection": off}},
            ],
            # What follows what is told, not guessed.
            "phases": {"stateful": {"inference": {"algorithms": []}}},
        }
    )


def _machine(plan: SequencePlan, emulator: Emulator, played: list[list[Step]]) -> type[APIStateMachine]:
    """Return the state machine of the contract, which notes the steps of each of its scenarios."""
    schema = schemathesis.openapi.from_dict(_extended(plan), config=_configuration(plan, emulator))
    base: Any = schema.as_state_machine()

    class Sequences(base):  # type: ignore[misc]
        def setup(self) -> None:
            played.append([])

        def after_call(self, response: Response, case: schemathesis.Case[Any]) -> None:
            super().after_call(response, case)
            label, expected = case.operation.label, plan.success.get(case.operation.label, 200)
            run_id = case.path_parameters.get(plan.run_id)
            if (label, response.status_code) == (plan.create, expected):
                run_id = response.json()[plan.run_id]
            played[-1].append(Step(label, response.status_code, run_id, expected))

    return seed(plan.seed)(Sequences)


def _in_order(wanted: tuple[str, ...], given: list[str]) -> bool:
    rest = iter(given)
    return all(name in rest for name in wanted)  # `in` takes from the iterator up to what it finds
