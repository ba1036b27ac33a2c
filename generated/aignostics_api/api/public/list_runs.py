from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.run_read_response import RunReadResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    application_id: None | str | Unset = UNSET,
    application_version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_application_id: None | str | Unset
    if isinstance(application_id, Unset):
        json_application_id = UNSET
    else:
        json_application_id = application_id
    params["application_id"] = json_application_id

    json_application_version: None | str | Unset
    if isinstance(application_version, Unset):
        json_application_version = UNSET
    else:
        json_application_version = application_version
    params["application_version"] = json_application_version

    json_include: list[str] | None | Unset
    if isinstance(include, Unset):
        json_include = UNSET
    elif isinstance(include, list):
        json_include = include

    else:
        json_include = include
    params["include"] = json_include

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
        "url": "/v1/runs",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | list[RunReadResponse] | None:
    if response.status_code == 200:
        _response_200 = response.json()
        if not isinstance(_response_200, list):
            raise TypeError("response_200 is no list")
        response_200 = [RunReadResponse.from_dict(each) for each in _response_200]

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
) -> Response[Any | HTTPValidationError | list[RunReadResponse]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    application_id: None | str | Unset = UNSET,
    application_version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | list[RunReadResponse]]:
    """List Application Runs

     The endpoint returns the application runs triggered by the caller. After the application run
    is created by POST /v1/runs, it becomes available for the current endpoint

    Args:
        application_id (None | str | Unset):
        application_version (None | str | Unset):
        include (list[str] | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[RunReadResponse]]
    """

    kwargs = _get_kwargs(
        application_id=application_id,
        application_version=application_version,
        include=include,
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
    application_id: None | str | Unset = UNSET,
    application_version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | list[RunReadResponse] | None:
    """List Application Runs

     The endpoint returns the application runs triggered by the caller. After the application run
    is created by POST /v1/runs, it becomes available for the current endpoint

    Args:
        application_id (None | str | Unset):
        application_version (None | str | Unset):
        include (list[str] | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | list[RunReadResponse]
    """

    return sync_detailed(
        client=client,
        application_id=application_id,
        application_version=application_version,
        include=include,
        page=page,
        page_size=page_size,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    application_id: None | str | Unset = UNSET,
    application_version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | list[RunReadResponse]]:
    """List Application Runs

     The endpoint returns the application runs triggered by the caller. After the application run
    is created by POST /v1/runs, it becomes available for the current endpoint

    Args:
        application_id (None | str | Unset):
        application_version (None | str | Unset):
        include (list[str] | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[RunReadResponse]]
    """

    kwargs = _get_kwargs(
        application_id=application_id,
        application_version=application_version,
        include=include,
        page=page,
        page_size=page_size,
        sort=sort,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    application_id: None | str | Unset = UNSET,
    application_version: None | str | Unset = UNSET,
    include: list[str] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | list[RunReadResponse] | None:
    """List Application Runs

     The endpoint returns the application runs triggered by the caller. After the application run
    is created by POST /v1/runs, it becomes available for the current endpoint

    Args:
        application_id (None | str | Unset):
        application_version (None | str | Unset):
        include (list[str] | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | list[RunReadResponse]
    """

    return (
        await asyncio_detailed(
            client=client,
            application_id=application_id,
            application_version=application_version,
            include=include,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
