"""Sequences of requests that schemathesis makes up from each contract, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from rounds import rounds
from sequences import SequencePlan, Step, is_whole_life, operations, play, play_until, version_schema

from aignostics_async.emulator.api._contract import load_document
from aignostics_async.emulator.process import Emulator

VERSION = "he-tme:v1.0.0"


def reference_plan() -> SequencePlan:
    applications, versions = "GET /v1/applications", "GET /v1/applications/{application_id}/versions"
    runs, create = "GET /v1/runs", "POST /v1/runs"
    details = "GET /v1/runs/{application_run_id}"
    results = "GET /v1/runs/{application_run_id}/results"
    cancel = "POST /v1/runs/{application_run_id}/cancel"
    delete = "DELETE /v1/runs/{application_run_id}/results"
    created = {"application_run_id": "$response.body#/application_run_id"}
    same = {"application_run_id": "$request.path.application_run_id"}

    def narrow(document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        name, metadata = version_schema(VERSION)
        schemas["InputArtifactCreationRequest"]["properties"] |= {
            "name": {"const": name},
            "metadata": metadata,
        }
        schemas["ItemCreationRequest"]["properties"]["input_artifacts"] |= {"minItems": 1, "maxItems": 1}
        schemas["RunCreationRequest"]["properties"]["application_version_id"] = {"const": VERSION}

    return SequencePlan(
        contract="1.0",
        create=create,
        run_id="application_run_id",
        life=(create, details, results, cancel, delete),
        success={create: 201, cancel: 202, delete: 204},
        follows=[
            (applications, versions, {"application_id": "$response.body#/0/application_id"}),
            (versions, create, {}),
            (runs, create, {}),
            *((create, target, created) for target in (details, results, cancel, delete)),
            (details, results, same),
            (results, cancel, same),
            *((cancel, target, same) for target in (cancel, delete)),
            *((delete, target, same) for target in (details, results)),
        ],
        undocumented={cancel: (409,), delete: (409,)},
        seed=3,
        narrow=narrow,
    )


def plan_1_8() -> SequencePlan:
    run, version = "/v1/runs/{run_id}", "/v1/applications/{application_id}/versions/{version}"
    grants, tokens = "/v1/access/grants", "/v1/access/share-tokens"
    create, cancel, delete = "POST /v1/runs", f"POST {run}/cancel", f"DELETE {run}/artifacts"
    items, item = f"GET {run}/items", f"GET {run}/items/{{external_id}}"
    put_run, put_item = f"PUT {run}/custom-metadata", f"PUT {run}/items/{{external_id}}/custom-metadata"
    grant, one_grant, revoke = f"POST {grants}", f"GET {grants}/{{grant_id}}", f"DELETE {grants}/{{grant_id}}"
    token, one_token = f"POST {tokens}", f"GET {tokens}/{{share_token_id}}"
    end_token = f"DELETE {tokens}/{{share_token_id}}"
    created, same = {"run_id": "$response.body#/run_id"}, {"run_id": "$request.path.run_id"}
    of_version = {name: f"$request.path.{name}" for name in ("application_id", "version")}
    of_item = {**same, "external_id": "$response.body#/0/external_id"}
    of_created = {**created, "external_id": "$request.body#/items/0/external_id"}
    documents = f"GET {version}/documents"
    of_document = {**of_version, "name": "$response.body#/0/name"}

    def narrow(document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        name, metadata = version_schema(VERSION)
        schemas["InputArtifactCreationRequest"]["properties"] |= {
            "name": {"const": name},
            "metadata": metadata,
        }
        item_fields = schemas["ItemCreationRequest"]["properties"]
        item_fields["input_artifacts"] |= {"minItems": 1, "maxItems": 1}
        # Others do not route.
        item_fields["external_id"] = {"type": "string", "pattern": "^[a-z]{1,8}$"}
        run_fields = schemas["RunCreationRequest"]["properties"]
        run_fields |= {"application_id": {"const": "he-tme"}, "version_number": {"const": "1.0.0"}}
        for methods in document["paths"].values():
            for operation in methods.values():
                given = operation.get("parameters", [])
                operation["parameters"] = [each for each in given if each["name"] != "share_token"]
        # Said in words only: 1,024 bytes at most, and a subject that is named.
        run_fields["callback_context"] = {"type": "null"}
        schemas["RunCreationRequest"]["required"].append("version_number")
        grant_fields = schemas["GrantCreateRequest"]["properties"]
        grant_fields |= {"resource_type": {"const": "run"}, "relation": {"const": "viewer"}}
        grant_fields["subject_id"] = {"type": "string"}
        schemas["GrantCreateRequest"]["required"].append("subject_id")

    return SequencePlan(
        contract="1.8",
        create=create,
        run_id="run_id",
        life=(create, cancel, delete),
        success={
            create: 201,
            cancel: 202,
            grant: 201,
            token: 201,
            f"{documents}/{{name}}/file": 307,
            f"{documents}/{{name}}/content": 307,
        },
        follows=[
            *(
                (
                    "GET /v1/applications",
                    target,
                    {
                        "application_id": "$response.body#/0/application_id",
                        "version": "$response.body#/0/latest_version/number",
                    },
                )
                for target in (f"GET {version}", documents)
            ),
            (
                "GET /v1/applications",
                "GET /v1/applications/{application_id}",
                {"application_id": "$response.body#/0/application_id"},
            ),
            (f"GET {version}", documents, of_version),
            *((documents, f"{documents}/{{name}}{kind}", of_document) for kind in ("", "/file", "/content")),
            *(
                (f"GET {version}", target, {})
                for target in (create, "GET /v1/runs", "GET /v1/me", f"GET {tokens}")
            ),
            ("GET /v1/runs", create, {}),
            *((create, target, created) for target in (f"GET {run}", items, cancel, put_run, delete)),
            *((create, target, of_created) for target in (item, put_item)),
            *((create, target, {}) for target in (grant, token)),
            (grant, f"GET {grants}", {}),
            (f"GET {run}", items, same),
            *((items, target, of_item) for target in (item, put_item)),
            (items, cancel, same),
            *((cancel, target, same) for target in (cancel, delete)),
            *((delete, target, same) for target in (delete, f"GET {run}")),
            *((grant, target, {"grant_id": "$response.body#/grant_id"}) for target in (one_grant, revoke)),
            (revoke, revoke, {"grant_id": "$request.path.grant_id"}),
            *(
                (token, target, {"share_token_id": "$response.body#/share_token_id"})
                for target in (one_token, end_token)
            ),
            (end_token, end_token, {"share_token_id": "$request.path.share_token_id"}),
        ],
        bodies={(create, grant): {"resource_id": "$response.body#/run_id"}},
        undocumented={},
        seed=1,
        narrow=narrow,
    )


@pytest.mark.slow
def test_every_operation_succeeds_and_one_run_goes_through_its_whole_life(emulator: Emulator) -> None:
    plan = reference_plan()
    *_, cancel, delete = plan.life
    refusals = {(plan.create, 422), (cancel, 404), (cancel, 409), (delete, 409)}

    def is_complete(scenarios: list[list[Step]]) -> bool:
        steps = [step for scenario in scenarios for step in scenario]
        return (
            {step.operation for step in steps if step.succeeded} == operations(load_document("1.0"))
            and {(step.operation, step.status) for step in steps} >= refusals
            and any(is_whole_life(plan, scenario) for scenario in scenarios)
        )

    assert play_until(is_complete, plan, emulator, scenarios=rounds(300, sample=30), steps=25)


def test_a_few_sequences_of_the_later_contract(emulator: Emulator) -> None:
    scenarios = play(plan_1_8(), emulator, scenarios=4, steps=12)
    assert any(step.succeeded for scenario in scenarios for step in scenario)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_operation_of_the_later_contract_succeeds(emulator: Emulator) -> None:
    plan = plan_1_8()
    *_, cancel, delete = plan.life
    refusals = {(cancel, 404), (cancel, 409), (delete, 409), (delete, 410)}

    def is_complete(scenarios: list[list[Step]]) -> bool:
        steps = [step for scenario in scenarios for step in scenario]
        missing = operations(load_document("1.8")) - {step.operation for step in steps if step.succeeded}
        # Nothing is analysed here, so there is no artifact, and chance may leave out another operation or
        # two. test_emulator_1_8.py and test_emulator_runs_1_8.py reach each of them.
        return (
            len(missing) <= 3
            and {(step.operation, step.status) for step in steps} >= refusals
            and any(is_whole_life(plan, scenario) for scenario in scenarios)
        )

    assert play_until(is_complete, plan, emulator, scenarios=160, steps=30)
