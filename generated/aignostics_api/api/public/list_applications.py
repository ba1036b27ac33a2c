from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.application_read_response import ApplicationReadResponse
from ...models.http_validation_error import HTTPValidationError
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["page_size"] = page_size

    json_sort: list[str] | None | Unset
    if isinstance(sort, Unset):
        json_sort = UNSET
    elif isinstance(sort, list):
        json_sort = sort

    else:
        json_sort = sort
    params["sort"] = json_sort

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/applications",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> HTTPValidationError | list[ApplicationReadResponse] | None:
    if response.status_code == 200:
        _response_200 = response.json()
        if not isinstance(_response_200, list):
            raise TypeError("response_200 is no list")
        response_200 = [
            ApplicationReadResponse.from_dict(each) for each in _response_200
        ]

        return response_200

    if response.status_code == 422:
        response_422 = HTTPValidationError.from_dict(response.json())

        return response_422

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[HTTPValidationError | list[ApplicationReadResponse]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[HTTPValidationError | list[ApplicationReadResponse]]:
    """List Applications

     Returns the list of the applications, available to the caller.

    The application is available if any of the version of the application is assigned to the
    user organization. To switch between organizations, the user should re-login and choose the
    needed organization.

    Args:
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | list[ApplicationReadResponse]]
    """

    kwargs = _get_kwargs(
        page=page,
        page_size=page_size,
        sort=sort,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> HTTPValidationError | list[ApplicationReadResponse] | None:
    """List Applications

     Returns the list of the applications, available to the caller.

    The application is available if any of the version of the application is assigned to the
    user organization. To switch between organizations, the user should re-login and choose the
    needed organization.

    Args:
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | list[ApplicationReadResponse]
    """

    return sync_detailed(
        client=client,
        page=page,
        page_size=page_size,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[HTTPValidationError | list[ApplicationReadResponse]]:
    """List Applications

     Returns the list of the applications, available to the caller.

    The application is available if any of the version of the application is assigned to the
    user organization. To switch between organizations, the user should re-login and choose the
    needed organization.

    Args:
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | list[ApplicationReadResponse]]
    """

    kwargs = _get_kwargs(
        page=page,
        page_size=page_size,
        sort=sort,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> HTTPValidationError | list[ApplicationReadResponse] | None:
    """List Applications

     Returns the list of the applications, available to the caller.

    The application is available if any of the version of the application is assigned to the
    user organization. To switch between organizations, the user should re-login and choose the
    needed organization.

    Args:
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | list[ApplicationReadResponse]
    """

    return (
        await asyncio_detailed(
            client=client,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
