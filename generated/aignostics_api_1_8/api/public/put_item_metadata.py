from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.custom_metadata_update_request import CustomMetadataUpdateRequest
from ...models.custom_metadata_update_response import CustomMetadataUpdateResponse
from ...models.http_validation_error import HTTPValidationError
from ...types import Response


def _get_kwargs(
    run_id: str,
    external_id: str,
    *,
    body: CustomMetadataUpdateRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "put",
        "url": "/v1/runs/{run_id}/items/{external_id}/custom-metadata".format(
            run_id=quote(str(run_id), safe=""),
            external_id=quote(str(external_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | CustomMetadataUpdateResponse | HTTPValidationError | None:
    if response.status_code == 200:
        response_200 = CustomMetadataUpdateResponse.from_dict(response.json())

        return response_200

    if response.status_code == 403:
        response_403 = cast(Any, None)
        return response_403

    if response.status_code == 404:
        response_404 = cast(Any, None)
        return response_404

    if response.status_code == 412:
        response_412 = cast(Any, None)
        return response_412

    if response.status_code == 422:
        response_422 = HTTPValidationError.from_dict(response.json())

        return response_422

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | CustomMetadataUpdateResponse | HTTPValidationError]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    run_id: str,
    external_id: str,
    *,
    client: AuthenticatedClient,
    body: CustomMetadataUpdateRequest,
) -> Response[Any | CustomMetadataUpdateResponse | HTTPValidationError]:
    """Put Item Custom Metadata By Run

     Update the custom metadata of the item with the specified `external_id`, belonging to the specified
    run.

    Optionally, a checksum may be provided along the custom metadata JSON.
    It can be used to verify if the custom metadata was updated since the last time it was accessed.
    If the checksum is provided, it must match the existing custom metadata in the system, ensuring that
    the current
    custom metadata value to be overwritten is acknowledged by the user.
    If no checksum is provided, submitted metadata directly overwrites the existing metadata, without
    any checks.

    The latest custom metadata and checksum can be retrieved
        for individual items via `GET /v1/runs/{run_id}/items/{external_id}`,
        and for all items of a run via `GET /v1/runs/{run_id}/items`.

    Args:
        run_id (str): The run id, returned by `POST /runs/` endpoint
        external_id (str): The `external_id` that was defined for the item by the customer that
            triggered the run.
        body (CustomMetadataUpdateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | CustomMetadataUpdateResponse | HTTPValidationError]
    """

    kwargs = _get_kwargs(
        run_id=run_id,
        external_id=external_id,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    run_id: str,
    external_id: str,
    *,
    client: AuthenticatedClient,
    body: CustomMetadataUpdateRequest,
) -> Any | CustomMetadataUpdateResponse | HTTPValidationError | None:
    """Put Item Custom Metadata By Run

     Update the custom metadata of the item with the specified `external_id`, belonging to the specified
    run.

    Optionally, a checksum may be provided along the custom metadata JSON.
    It can be used to verify if the custom metadata was updated since the last time it was accessed.
    If the checksum is provided, it must match the existing custom metadata in the system, ensuring that
    the current
    custom metadata value to be overwritten is acknowledged by the user.
    If no checksum is provided, submitted metadata directly overwrites the existing metadata, without
    any checks.

    The latest custom metadata and checksum can be retrieved
        for individual items via `GET /v1/runs/{run_id}/items/{external_id}`,
        and for all items of a run via `GET /v1/runs/{run_id}/items`.

    Args:
        run_id (str): The run id, returned by `POST /runs/` endpoint
        external_id (str): The `external_id` that was defined for the item by the customer that
            triggered the run.
        body (CustomMetadataUpdateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | CustomMetadataUpdateResponse | HTTPValidationError
    """

    return sync_detailed(
        run_id=run_id,
        external_id=external_id,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    run_id: str,
    external_id: str,
    *,
    client: AuthenticatedClient,
    body: CustomMetadataUpdateRequest,
) -> Response[Any | CustomMetadataUpdateResponse | HTTPValidationError]:
    """Put Item Custom Metadata By Run

     Update the custom metadata of the item with the specified `external_id`, belonging to the specified
    run.

    Optionally, a checksum may be provided along the custom metadata JSON.
    It can be used to verify if the custom metadata was updated since the last time it was accessed.
    If the checksum is provided, it must match the existing custom metadata in the system, ensuring that
    the current
    custom metadata value to be overwritten is acknowledged by the user.
    If no checksum is provided, submitted metadata directly overwrites the existing metadata, without
    any checks.

    The latest custom metadata and checksum can be retrieved
        for individual items via `GET /v1/runs/{run_id}/items/{external_id}`,
        and for all items of a run via `GET /v1/runs/{run_id}/items`.

    Args:
        run_id (str): The run id, returned by `POST /runs/` endpoint
        external_id (str): The `external_id` that was defined for the item by the customer that
            triggered the run.
        body (CustomMetadataUpdateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | CustomMetadataUpdateResponse | HTTPValidationError]
    """

    kwargs = _get_kwargs(
        run_id=run_id,
        external_id=external_id,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    run_id: str,
    external_id: str,
    *,
    client: AuthenticatedClient,
    body: CustomMetadataUpdateRequest,
) -> Any | CustomMetadataUpdateResponse | HTTPValidationError | None:
    """Put Item Custom Metadata By Run

     Update the custom metadata of the item with the specified `external_id`, belonging to the specified
    run.

    Optionally, a checksum may be provided along the custom metadata JSON.
    It can be used to verify if the custom metadata was updated since the last time it was accessed.
    If the checksum is provided, it must match the existing custom metadata in the system, ensuring that
    the current
    custom metadata value to be overwritten is acknowledged by the user.
    If no checksum is provided, submitted metadata directly overwrites the existing metadata, without
    any checks.

    The latest custom metadata and checksum can be retrieved
        for individual items via `GET /v1/runs/{run_id}/items/{external_id}`,
        and for all items of a run via `GET /v1/runs/{run_id}/items`.

    Args:
        run_id (str): The run id, returned by `POST /runs/` endpoint
        external_id (str): The `external_id` that was defined for the item by the customer that
            triggered the run.
        body (CustomMetadataUpdateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | CustomMetadataUpdateResponse | HTTPValidationError
    """

    return (
        await asyncio_detailed(
            run_id=run_id,
            external_id=external_id,
            client=client,
            body=body,
        )
    ).parsed
