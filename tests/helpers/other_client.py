"""Calls every operation of contract 1.8 with the generated client of the official package.

    python other_client.py API_ROOT TOKEN RUN_ID

It runs in an environment of its own, with `aignostics` installed without its dependencies. RUN_ID is a
finished run with results, which it deletes at the end. Prints a JSON object of what it has read.
"""

from __future__ import annotations

import json
import sys

from aignx.codegen.api.public_api import PublicApi  # type: ignore[import-not-found]
from aignx.codegen.api_client import ApiClient  # type: ignore[import-not-found]
from aignx.codegen.configuration import Configuration  # type: ignore[import-not-found]

_VARIANTS = ("_with_http_info", "_without_preload_content")
VERSION = ("he-tme", "1.1.0")
BODY = {
    "application_id": "test-app",
    "version_number": "0.0.2",
    "custom_metadata": {"study": "x"},
    "scheduling": {"due_date": "2030-01-01T00:00:00Z"},
    "items": [
        {
            "external_id": "other",
            "input_artifacts": [
                {
                    "name": "whole_slide_image",
                    "download_url": "http://127.0.0.1:9/slide.tiff",
                    "metadata": {
                        "checksum_base64_crc32c": "4waSgw==",
                        "width_px": 10,
                        "height_px": 10,
                        "resolution_mpp": 0.5,
                    },
                }
            ],
        }
    ],
}


def short_names(api: PublicApi) -> dict[str, str]:
    """Return the methods by the first words of their names; the rest is the path."""
    names = [name for name in dir(api) if not name.startswith("_") and not name.endswith(_VARIANTS)]
    return {name.partition("_v1_")[0]: name for name in names}


class Caller:
    """Calls operations by the first words of their names."""

    def __init__(self, api: PublicApi) -> None:
        self._api = api
        self._names = short_names(api)

    def __call__(self, name: str, *arguments: object, **options: object) -> object:
        return getattr(self._api, self._names[name])(*arguments, **options)

    def raw(self, name: str, *arguments: object) -> bytes:
        """Return the bytes of an answer, behind its redirect."""
        method = getattr(self._api, f"{self._names[name]}_without_preload_content")
        content: bytes = method(*arguments).data
        return content


def read(call: Caller, run_id: str) -> dict[str, object]:
    """Read everything, and return some of it."""
    me = call("get_me")
    applications = call("list_applications", page_size=5)
    application = call("read_application_by_id", VERSION[0])
    version = call("application_version_details", *VERSION)
    document = call("list_version_documents", *VERSION)[0]  # type: ignore[index]
    place = (*VERSION, document.name)
    assert call("get_version_document", *place) == document
    assert call.raw("get_version_document_file", *place) == call.raw("get_version_document_content", *place)
    runs = call("list_runs", custom_metadata="$.nothing", sort=["-submitted_at"])
    run = call("get_run", run_id)
    item = call("list_run_items", run_id, state="TERMINATED")[0]  # type: ignore[index]
    assert call("get_item_by_run", run_id, item.external_id) == item
    artifact = item.output_artifacts[0]
    return {
        "email": me.user.email,  # type: ignore[attr-defined]
        "applications": [each.application_id for each in applications],  # type: ignore[attr-defined]
        "versions": [each.number for each in application.versions],  # type: ignore[attr-defined]
        "inputs": [each.name for each in version.input_artifacts],  # type: ignore[attr-defined]
        "runs": len(runs),  # type: ignore[arg-type]
        "reason": run.termination_reason,  # type: ignore[attr-defined]
        "succeeded": run.statistics.item_succeeded_count,  # type: ignore[attr-defined]
        "output": artifact.output,
        "bytes": len(call.raw("get_artifact_url", run_id, artifact.output_artifact_id)),
    }


def write(call: Caller, run_id: str) -> None:
    """Create, share, change, cancel and delete."""
    created = call("create_run", BODY).run_id  # type: ignore[attr-defined]
    first = call("put_run_custom_metadata", created, {"custom_metadata": {"study": "y"}})
    checksum = first.custom_metadata_checksum  # type: ignore[attr-defined]
    call("put_run_custom_metadata", created, {"custom_metadata": {}, "custom_metadata_checksum": checksum})
    call("put_item_custom_metadata_by_run", created, "other", {"custom_metadata": {"case": 1}})
    token = call("create_share_token", {})
    ident = token.share_token_id  # type: ignore[attr-defined]
    subject = {"subject_type": "share_token", "subject_id": ident, "relation": "viewer"}
    grant = call("create_grant", {"resource_type": "run", "resource_id": created, **subject})
    assert call("get_run", created, share_token=token.share_token).run_id == created  # type: ignore[attr-defined]
    assert call("list_grants") == [grant]
    assert call("get_grant", grant.grant_id) == grant  # type: ignore[attr-defined]
    assert call("revoke_grant", grant.grant_id).revoked  # type: ignore[attr-defined]
    assert call("list_share_tokens")[0] == call("get_share_token", ident)  # type: ignore[index]
    assert call("revoke_share_token", ident).revoked  # type: ignore[attr-defined]
    call("cancel_run", created)
    call("delete_run_items", run_id)


def main(root: str, token: str, run_id: str) -> None:
    configuration = Configuration(host=root)
    configuration.access_token = token
    client = ApiClient(configuration)
    client.set_default_header("Authorization", f"Bearer {token}")
    call = Caller(PublicApi(client))
    found = read(call, run_id)
    write(call, run_id)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
