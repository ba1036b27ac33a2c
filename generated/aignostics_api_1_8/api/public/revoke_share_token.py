from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.share_token_read_response import ShareTokenReadResponse
from ...types import Response


def _get_kwargs(
    share_token_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/access/share-tokens/{share_token_id}".format(
            share_token_id=quote(str(share_token_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | ShareTokenReadResponse | None:
    if response.status_code == 200:
        response_200 = ShareTokenReadResponse.from_dict(response.json())

        return response_200

    if response.status_code == 403:
        response_403 = cast(Any, None)
        return response_403

    if response.status_code == 404:
        response_404 = cast(Any, None)
        return response_404

    if response.status_code == 409:
        response_409 = cast(Any, None)
        return response_409

    if response.status_code == 422:
        response_422 = HTTPValidationError.from_dict(response.json())

        return response_422

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | HTTPValidationError | ShareTokenReadResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    share_token_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[Any | HTTPValidationError | ShareTokenReadResponse]:
    """Revoke Share Token

     Revoke a share token by its ID. Invalidates the credential regardless of any active grants.

    Args:
        share_token_id (str): Share token ID

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | ShareTokenReadResponse]
    """

    kwargs = _get_kwargs(
        share_token_id=share_token_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    share_token_id: str,
    *,
    client: AuthenticatedClient,
) -> Any | HTTPValidationError | ShareTokenReadResponse | None:
    """Revoke Share Token

     Revoke a share token by its ID. Invalidates the credential regardless of any active grants.

    Args:
        share_token_id (str): Share token ID

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | ShareTokenReadResponse
    """

    return sync_detailed(
        share_token_id=share_token_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    share_token_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[Any | HTTPValidationError | ShareTokenReadResponse]:
    """Revoke Share Token

     Revoke a share token by its ID. Invalidates the credential regardless of any active grants.

    Args:
        share_token_id (str): Share token ID

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | ShareTokenReadResponse]
    """

    kwargs = _get_kwargs(
        share_token_id=share_token_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    share_token_id: str,
    *,
    client: AuthenticatedClient,
) -> Any | HTTPValidationError | ShareTokenReadResponse | None:
    """Revoke Share Token

     Revoke a share token by its ID. Invalidates the credential regardless of any active grants.

    Args:
        share_token_id (str): Share token ID

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | ShareTokenReadResponse
    """

    return (
        await asyncio_detailed(
            share_token_id=share_token_id,
            client=client,
        )
    ).parsed
