from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.me_read_response import MeReadResponse
from ...types import Response


def _get_kwargs() -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/me",
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> MeReadResponse | None:
    if response.status_code == 200:
        response_200 = MeReadResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[MeReadResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
) -> Response[MeReadResponse]:
    """Get current user

     Retrieves your identity details, including name, email, and organization.
    This is useful for verifying that the request is being made under the correct user profile
    and organization context, as well as confirming that the expected environment variables are
    correctly set
    (in case you are using Python SDK)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[MeReadResponse]
    """

    kwargs = _get_kwargs()

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
) -> MeReadResponse | None:
    """Get current user

     Retrieves your identity details, including name, email, and organization.
    This is useful for verifying that the request is being made under the correct user profile
    and organization context, as well as confirming that the expected environment variables are
    correctly set
    (in case you are using Python SDK)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        MeReadResponse
    """

    return sync_detailed(
        client=client,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
) -> Response[MeReadResponse]:
    """Get current user

     Retrieves your identity details, including name, email, and organization.
    This is useful for verifying that the request is being made under the correct user profile
    and organization context, as well as confirming that the expected environment variables are
    correctly set
    (in case you are using Python SDK)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[MeReadResponse]
    """

    kwargs = _get_kwargs()

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
) -> MeReadResponse | None:
    """Get current user

     Retrieves your identity details, including name, email, and organization.
    This is useful for verifying that the request is being made under the correct user profile
    and organization context, as well as confirming that the expected environment variables are
    correctly set
    (in case you are using Python SDK)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        MeReadResponse
    """

    return (
        await asyncio_detailed(
            client=client,
        )
    ).parsed
