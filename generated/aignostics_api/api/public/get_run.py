from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.run_read_response import RunReadResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    application_run_id: str,
    *,
    include: list[str] | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_include: list[str] | None | Unset
    if isinstance(include, Unset):
        json_include = UNSET
    elif isinstance(include, list):
        json_include = include

    else:
        json_include = include
    params["include"] = json_include

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/runs/{application_run_id}".format(
            application_run_id=quote(str(application_run_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | RunReadResponse | None:
    if response.status_code == 200:
        response_200 = RunReadResponse.from_dict(response.json())

        return response_200

    if response.status_code == 404:
        response_404 = cast(Any, None)
        return response_404

    if response.status_code == 422:
        response_422 = HTTPValidationError.from_dict(response.json())

        return response_422

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | HTTPValidationError | RunReadResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
    include: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | RunReadResponse]:
    """Get Run

     Returns the details of the application run. The application run is available as soon as it is
    created via `POST /runs/` endpoint. To download the items results, call
    `/runs/{application_run_id}/results`.

    The application is only available to the user who triggered it, regardless of the role.

    Args:
        application_run_id (str):
        include (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | RunReadResponse]
    """

    kwargs = _get_kwargs(
        application_run_id=application_run_id,
        include=include,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
    include: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | RunReadResponse | None:
    """Get Run

     Returns the details of the application run. The application run is available as soon as it is
    created via `POST /runs/` endpoint. To download the items results, call
    `/runs/{application_run_id}/results`.

    The application is only available to the user who triggered it, regardless of the role.

    Args:
        application_run_id (str):
        include (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | RunReadResponse
    """

    return sync_detailed(
        application_run_id=application_run_id,
        client=client,
        include=include,
    ).parsed


async def asyncio_detailed(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
    include: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | RunReadResponse]:
    """Get Run

     Returns the details of the application run. The application run is available as soon as it is
    created via `POST /runs/` endpoint. To download the items results, call
    `/runs/{application_run_id}/results`.

    The application is only available to the user who triggered it, regardless of the role.

    Args:
        application_run_id (str):
        include (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | RunReadResponse]
    """

    kwargs = _get_kwargs(
        application_run_id=application_run_id,
        include=include,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
    include: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | RunReadResponse | None:
    """Get Run

     Returns the details of the application run. The application run is available as soon as it is
    created via `POST /runs/` endpoint. To download the items results, call
    `/runs/{application_run_id}/results`.

    The application is only available to the user who triggered it, regardless of the role.

    Args:
        application_run_id (str):
        include (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | RunReadResponse
    """

    return (
        await asyncio_detailed(
            application_run_id=application_run_id,
            client=client,
            include=include,
        )
    ).parsed
