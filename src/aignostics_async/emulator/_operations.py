"""The operations of the API by contract, under names that the contracts share where they do the same.

Fault rules and the request log use these names. `PREFIXES` has the path of each contract's API root.
"""

from __future__ import annotations

import re

PREFIXES = {"1.0": "", "1.8": "/1.8"}
"""Where each contract is mounted: the path of its API root."""
API_PATH = "/api"
"""The base path of the contracts' `servers`."""

_RUN = "/v1/runs/{run_id}"
_VERSION = "/v1/applications/{application_id}/versions/{version}"
_GRANTS = "/v1/access/grants"
_TOKENS = "/v1/access/share-tokens"

OPERATIONS: dict[str, dict[str, tuple[str, str]]] = {
    "1.0": {
        "list_applications": ("GET", "/v1/applications"),
        "list_versions": ("GET", "/v1/applications/{application_id}/versions"),
        "list_runs": ("GET", "/v1/runs"),
        "create_run": ("POST", "/v1/runs"),
        "get_run": ("GET", "/v1/runs/{application_run_id}"),
        "cancel_run": ("POST", "/v1/runs/{application_run_id}/cancel"),
        "list_results": ("GET", "/v1/runs/{application_run_id}/results"),
        "delete_results": ("DELETE", "/v1/runs/{application_run_id}/results"),
    },
    "1.8": {
        "list_applications": ("GET", "/v1/applications"),
        "get_application": ("GET", "/v1/applications/{application_id}"),
        "get_version": ("GET", _VERSION),
        "list_documents": ("GET", f"{_VERSION}/documents"),
        "get_document": ("GET", f"{_VERSION}/documents/{{name}}"),
        "get_document_file": ("GET", f"{_VERSION}/documents/{{name}}/file"),
        "get_document_content": ("GET", f"{_VERSION}/documents/{{name}}/content"),
        "list_runs": ("GET", "/v1/runs"),
        "create_run": ("POST", "/v1/runs"),
        "get_run": ("GET", _RUN),
        "cancel_run": ("POST", f"{_RUN}/cancel"),
        "set_run_metadata": ("PUT", f"{_RUN}/custom-metadata"),
        "list_results": ("GET", f"{_RUN}/items"),
        "get_result": ("GET", f"{_RUN}/items/{{external_id}}"),
        "set_item_metadata": ("PUT", f"{_RUN}/items/{{external_id}}/custom-metadata"),
        "get_artifact_file": ("GET", f"{_RUN}/artifacts/{{artifact_id}}/file"),
        "delete_results": ("DELETE", f"{_RUN}/artifacts"),
        "get_me": ("GET", "/v1/me"),
        "create_grant": ("POST", _GRANTS),
        "list_grants": ("GET", _GRANTS),
        "get_grant": ("GET", f"{_GRANTS}/{{grant_id}}"),
        "revoke_grant": ("DELETE", f"{_GRANTS}/{{grant_id}}"),
        "create_share_token": ("POST", _TOKENS),
        "list_share_tokens": ("GET", _TOKENS),
        "get_share_token": ("GET", f"{_TOKENS}/{{share_token_id}}"),
        "revoke_share_token": ("DELETE", f"{_TOKENS}/{{share_token_id}}"),
    },
}
OPERATION_NAMES = frozenset(name for operations in OPERATIONS.values() for name in operations)


def find_contract(path: str) -> tuple[str, str] | None:
    """Return the contract that serves a path, and the path below its root; None for a path of no contract."""
    for contract, prefix in reversed(PREFIXES.items()):
        rest = path.removeprefix(prefix)
        if path.startswith(prefix) and (rest.startswith(f"{API_PATH}/") or rest == "/health"):
            return contract, rest
    return None


def spellings(path: str) -> tuple[str, ...]:
    """Return a path, and what it is below the root of its contract."""
    found = find_contract(path)
    return (path,) if found is None else (path, found[1])


def find_operation(method: str, path: str) -> tuple[str | None, str | None]:
    """Return the contract and the name of the operation that a request is for, each None if there is none."""
    found = find_contract(path)
    if found is None:
        return None, None
    contract, rest = found
    for name, (wanted, pattern) in _PATTERNS[contract].items():
        if wanted == method and pattern.fullmatch(rest):
            return contract, name
    return contract, None


_PATTERNS = {
    contract: {
        name: (method, re.compile(API_PATH + re.sub(r"{\w+}", "[^/]+", path)))
        for name, (method, path) in operations.items()
    }
    for contract, operations in OPERATIONS.items()
}
