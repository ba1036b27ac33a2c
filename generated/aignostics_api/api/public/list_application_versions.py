from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.application_version_read_response import ApplicationVersionReadResponse
from ...models.http_validation_error import HTTPValidationError
from ...types import UNSET, Response, Unset


def _get_kwargs(
    application_id: str,
    *,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["page"] = page

    params["page_size"] = page_size

    json_version: None | str | Unset
    if isinstance(version, Unset):
        json_version = UNSET
    else:
        json_version = version
    params["version"] = json_version

    json_include: list[str] | None | Unset
    if isinstance(include, Unset):
        json_include = UNSET
    elif isinstance(include, list):
        json_include = include

    else:
        json_include = include
    params["include"] = json_include

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
        "url": "/v1/applications/{application_id}/versions".format(
            application_id=quote(str(application_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> HTTPValidationError | list[ApplicationVersionReadResponse] | None:
    if response.status_code == 200:
        _response_200 = response.json()
        if not isinstance(_response_200, list):
            raise TypeError("response_200 is no list")
        response_200 = [
            ApplicationVersionReadResponse.from_dict(each) for each in _response_200
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
) -> Response[HTTPValidationError | list[ApplicationVersionReadResponse]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    application_id: str,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> Response[HTTPValidationError | list[ApplicationVersionReadResponse]]:
    """List Versions By Application Id

     Returns the list of the application versions for this application, available to the caller.

    The application version is available if it is assigned to the user's organization.

    The application versions are assigned to the organization by the Aignostics admin. To
    assign or unassign a version from your organization, please contact Aignostics support team.

    Args:
        application_id (str):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        version (None | str | Unset):
        include (list[str] | None | Unset):
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | list[ApplicationVersionReadResponse]]
    """

    kwargs = _get_kwargs(
        application_id=application_id,
        page=page,
        page_size=page_size,
        version=version,
        include=include,
        sort=sort,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    application_id: str,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> HTTPValidationError | list[ApplicationVersionReadResponse] | None:
    """List Versions By Application Id

     Returns the list of the application versions for this application, available to the caller.

    The application version is available if it is assigned to the user's organization.

    The application versions are assigned to the organization by the Aignostics admin. To
    assign or unassign a version from your organization, please contact Aignostics support team.

    Args:
        application_id (str):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        version (None | str | Unset):
        include (list[str] | None | Unset):
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | list[ApplicationVersionReadResponse]
    """

    return sync_detailed(
        application_id=application_id,
        client=client,
        page=page,
        page_size=page_size,
        version=version,
        include=include,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    application_id: str,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> Response[HTTPValidationError | list[ApplicationVersionReadResponse]]:
    """List Versions By Application Id

     Returns the list of the application versions for this application, available to the caller.

    The application version is available if it is assigned to the user's organization.

    The application versions are assigned to the organization by the Aignostics admin. To
    assign or unassign a version from your organization, please contact Aignostics support team.

    Args:
        application_id (str):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        version (None | str | Unset):
        include (list[str] | None | Unset):
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | list[ApplicationVersionReadResponse]]
    """

    kwargs = _get_kwargs(
        application_id=application_id,
        page=page,
        page_size=page_size,
        version=version,
        include=include,
        sort=sort,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    application_id: str,
    *,
    client: AuthenticatedClient,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> HTTPValidationError | list[ApplicationVersionReadResponse] | None:
    """List Versions By Application Id

     Returns the list of the application versions for this application, available to the caller.

    The application version is available if it is assigned to the user's organization.

    The application versions are assigned to the organization by the Aignostics admin. To
    assign or unassign a version from your organization, please contact Aignostics support team.

    Args:
        application_id (str):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        version (None | str | Unset):
        include (list[str] | None | Unset):
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | list[ApplicationVersionReadResponse]
    """

    return (
        await asyncio_detailed(
            application_id=application_id,
            client=client,
            page=page,
            page_size=page_size,
            version=version,
            include=include,
            sort=sort,
        )
    ).parsed
