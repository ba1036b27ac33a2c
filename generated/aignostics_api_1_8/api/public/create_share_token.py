from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.share_token_create_request import ShareTokenCreateRequest
from ...models.share_token_create_response import ShareTokenCreateResponse
from ...types import Response


def _get_kwargs(
    *,
    body: ShareTokenCreateRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/access/share-tokens",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> HTTPValidationError | ShareTokenCreateResponse | None:
    if response.status_code == 201:
        response_201 = ShareTokenCreateResponse.from_dict(response.json())

        return response_201

    if response.status_code == 422:
        response_422 = HTTPValidationError.from_dict(response.json())

        return response_422

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[HTTPValidationError | ShareTokenCreateResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: ShareTokenCreateRequest,
) -> Response[HTTPValidationError | ShareTokenCreateResponse]:
    """Create Share Token

     Create a share token. The returned share_token value is shown only once and is never stored.
    Use POST /access/grants with subject_type=share_token to grant access to a resource.

    Args:
        body (ShareTokenCreateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | ShareTokenCreateResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: ShareTokenCreateRequest,
) -> HTTPValidationError | ShareTokenCreateResponse | None:
    """Create Share Token

     Create a share token. The returned share_token value is shown only once and is never stored.
    Use POST /access/grants with subject_type=share_token to grant access to a resource.

    Args:
        body (ShareTokenCreateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | ShareTokenCreateResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: ShareTokenCreateRequest,
) -> Response[HTTPValidationError | ShareTokenCreateResponse]:
    """Create Share Token

     Create a share token. The returned share_token value is shown only once and is never stored.
    Use POST /access/grants with subject_type=share_token to grant access to a resource.

    Args:
        body (ShareTokenCreateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | ShareTokenCreateResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: ShareTokenCreateRequest,
) -> HTTPValidationError | ShareTokenCreateResponse | None:
    """Create Share Token

     Create a share token. The returned share_token value is shown only once and is never stored.
    Use POST /access/grants with subject_type=share_token to grant access to a resource.

    Args:
        body (ShareTokenCreateRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | ShareTokenCreateResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
