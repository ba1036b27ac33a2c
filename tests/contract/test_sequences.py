"""Sequences of requests that schemathesis makes up from the contract, against the emulator.

The contract says nothing of how its operations follow one another, nor which metadata a version takes. Both
are added to the document in memory, and so are the statuses that the emulator gives by itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests
import schemathesis
from attrs import frozen
from hypothesis import HealthCheck, Phase, seed, settings
from rounds import rounds
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.generation.stateful import APIStateMachine

from aignostics_async.emulator._catalogue import find_version
from aignostics_async.emulator.api._undocumented import UNDOCUMENTED
from aignostics_async.emulator.process import Emulator

APPLICATIONS = "GET /v1/applications"
VERSIONS = "GET /v1/applications/{application_id}/versions"
RUNS = "GET /v1/runs"
CREATE = "POST /v1/runs"
DETAILS = "GET /v1/runs/{application_run_id}"
RESULTS = "GET /v1/runs/{application_run_id}/results"
CANCEL = "POST /v1/runs/{application_run_id}/cancel"
DELETE = "DELETE /v1/runs/{application_run_id}/results"

LIFE = (CREATE, DETAILS, RESULTS, CANCEL, DELETE)
"""A run from its creation to the deletion of its results, each with the documented success."""

SUCCESS = {CREATE: 201, CANCEL: 202, DELETE: 204}
"""All others answer 200."""

SEED = 3
"""Of the scenarios. Without it, they would depend on the source of the state machine too."""

_CREATED = {"application_run_id": "$response.body#/application_run_id"}
_SAME = {"application_run_id": "$request.path.application_run_id"}

FOLLOWS: list[tuple[str, str, dict[str, str]]] = [
    (APPLICATIONS, VERSIONS, {"application_id": "$response.body#/0/application_id"}),
    (VERSIONS, CREATE, {}),
    (RUNS, CREATE, {}),
    *((CREATE, target, _CREATED) for target in (DETAILS, RESULTS, CANCEL, DELETE)),
    (DETAILS, RESULTS, _SAME),
    (RESULTS, CANCEL, _SAME),
    *((CANCEL, target, _SAME) for target in (CANCEL, DELETE)),
    *((DELETE, target, _SAME) for target in (DETAILS, RESULTS)),
]
"""What can follow a success of what, and where its parameters come from.

Nothing leads to the runs of earlier scenarios: the same requests would be answered otherwise the next time,
which hypothesis refuses.
"""


@frozen
class Step:
    """One request and its answer."""

    operation: str
    status: int
    run_id: str | None

    @property
    def succeeded(self) -> bool:
        return self.status == SUCCESS.get(self.operation, 200)


def operation(document: dict[str, Any], name: str) -> dict[str, Any]:
    method, _, path = name.partition(" ")
    found: dict[str, Any] = document["paths"][path][method.lower()]
    return found


def served(document: dict[str, Any], emulator: Emulator) -> dict[str, Any]:
    """Return the contract without what the emulator does not serve yet; test_emulator.py tells of that."""
    paths: dict[str, Any] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answer = requests.request(
                method,
                f"{emulator.api_root}/api{path}",
                headers={"Authorization": f"Bearer {emulator.access_token}"},
                timeout=30,
            )
            if answer.status_code != 501:
                paths.setdefault(path, {})[method] = operation
    return {**document, "paths": paths}


def extended(document: dict[str, Any]) -> dict[str, Any]:
    """Add to the contract what it does not say: order, metadata, undocumented statuses."""
    for source, target, parameters in FOLLOWS:
        answer = operation(document, source)["responses"][str(SUCCESS.get(source, 200))]
        link = {"operationId": operation(document, target)["operationId"], "parameters": parameters}
        answer.setdefault("links", {})[target] = link
    for name in (APPLICATIONS, VERSIONS, RUNS, *LIFE):
        answers = operation(document, name)["responses"]
        for status in (401, 409) if name in (CANCEL, DELETE) else (401,):
            answers[str(status)] = {"description": UNDOCUMENTED["1.0"][status]}
    narrow_bodies(document["components"]["schemas"])
    return document


def narrow_bodies(schemas: dict[str, Any]) -> None:
    """Narrow what a run is created from to what one version takes, so that most bodies are accepted."""
    version = find_version("he-tme:v1.0.0")
    assert version is not None
    (spec,) = version.inputs
    metadata = {name: value for name, value in spec.metadata_schema.items() if name != "$schema"}
    # Of the six characters the last one has two bits to say.
    checksum = {"type": "string", "pattern": "^[A-Za-z0-9+/]{5}[AQgw]==$"}
    metadata["properties"] = {**metadata["properties"], "checksum_base64_crc32c": checksum}
    schemas["InputArtifactCreationRequest"]["properties"] |= {
        "name": {"const": spec.name},
        "metadata": metadata,
    }
    schemas["ItemCreationRequest"]["properties"]["input_artifacts"] |= {"minItems": 1, "maxItems": 1}
    schemas["RunCreationRequest"]["properties"]["application_version_id"] = {"const": version.id}


def configuration(emulator: Emulator) -> SchemathesisConfig:
    """Return how to reach the emulator, and which checks are off because they give false alarms here."""
    off = {"enabled": False}
    return SchemathesisConfig.from_dict(
        {
            "base-url": f"{emulator.api_root}/api",
            "headers": {"Authorization": f"Bearer {emulator.access_token}"},
            "checks": {
                # Deleting the results of a run deletes no run: it can be read afterwards.
                "use_after_free": off,
                # That references are unique is said in words only.
                "positive_data_acceptance": off,
            },
            # In a query all is text: `include=false` is meant as no list, and read as a list of one text.
            "operations": [{"include-method": "GET", "checks": {"negative_data_rejection": off}}],
            # What follows what is told, not guessed.
            "phases": {"stateful": {"inference": {"algorithms": []}}},
        }
    )


def machine(
    document: dict[str, Any], emulator: Emulator, scenarios: list[list[Step]]
) -> type[APIStateMachine]:
    """Return the state machine of the contract, which notes the steps of each of its scenarios."""
    schema = schemathesis.openapi.from_dict(document, config=configuration(emulator))
    base: Any = schema.as_state_machine()

    class Sequences(base):  # type: ignore[misc]
        def setup(self) -> None:
            scenarios.append([])

        def after_call(self, response: Response, case: schemathesis.Case[Any]) -> None:
            super().after_call(response, case)
            run_id = case.path_parameters.get("application_run_id")
            if (case.operation.label, response.status_code) == (CREATE, 201):
                run_id = response.json()["application_run_id"]
            scenarios[-1].append(Step(case.operation.label, response.status_code, run_id))

    return seed(SEED)(Sequences)


def is_whole_life(scenario: list[Step]) -> bool:
    """Return whether one run went through its whole life in this scenario, one step after the other."""
    run_ids = {step.run_id for step in scenario if step.operation == CREATE and step.succeeded}
    return any(
        in_order(LIFE, [step.operation for step in scenario if step.run_id == run_id and step.succeeded])
        for run_id in run_ids
    )


def in_order(wanted: tuple[str, ...], given: list[str]) -> bool:
    rest = iter(given)
    return all(name in rest for name in wanted)  # `in` takes from the iterator up to what it finds


def test_every_operation_succeeds_and_one_run_goes_through_its_whole_life(
    root: Path, emulator: Emulator
) -> None:
    scenarios: list[list[Step]] = []
    # So slow that no run ends by itself: the same requests have the same answers every time.
    emulator.reset(speed=0.001)
    document = served(json.loads((root / "openapi.json").read_text(encoding="utf-8")), emulator)
    operations = {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    machine(extended(document), emulator, scenarios).run(
        settings=settings(
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            max_examples=rounds(300, sample=15),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
    )
    steps = [step for scenario in scenarios for step in scenario]
    assert {step.operation for step in steps if step.succeeded} == operations
    assert any(is_whole_life(scenario) for scenario in scenarios)
    answered = {(step.operation, step.status) for step in steps}
    assert answered >= {(CREATE, 422), (CANCEL, 404), (CANCEL, 409), (DELETE, 409)}
