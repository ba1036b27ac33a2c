from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.application_read_short_response import ApplicationReadShortResponse
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

    params["page-size"] = page_size

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
) -> Any | HTTPValidationError | list[ApplicationReadShortResponse] | None:
    if response.status_code == 200:
        _response_200 = response.json()
        if not isinstance(_response_200, list):
            raise TypeError("response_200 is no list")
        response_200 = [
            ApplicationReadShortResponse.from_dict(each) for each in _response_200
        ]

        return response_200

    if response.status_code == 401:
        response_401 = cast(Any, None)
        return response_401

    if response.status_code == 422:
        response_422 = HTTPValidationError.from_dict(response.json())

        return response_422

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | HTTPValidationError | list[ApplicationReadShortResponse]]:
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
) -> Response[Any | HTTPValidationError | list[ApplicationReadShortResponse]]:
    """List available applications

     Returns the list of the applications, available to the caller.

    The application is available if any of the versions of the application is assigned to the caller's
    organization.
    The response is paginated and sorted according to the provided parameters.

    Args:
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

            **Available fields:**
            - `application_id`
            - `name`
            - `description`
            - `regulatory_classes`

            **Examples:**
            - `?sort=application_id` - Sort by application_id ascending
            - `?sort=-name` - Sort by name descending
            - `?sort=+description&sort=name` - Sort by description ascending, then name descending

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[ApplicationReadShortResponse]]
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
) -> Any | HTTPValidationError | list[ApplicationReadShortResponse] | None:
    """List available applications

     Returns the list of the applications, available to the caller.

    The application is available if any of the versions of the application is assigned to the caller's
    organization.
    The response is paginated and sorted according to the provided parameters.

    Args:
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

            **Available fields:**
            - `application_id`
            - `name`
            - `description`
            - `regulatory_classes`

            **Examples:**
            - `?sort=application_id` - Sort by application_id ascending
            - `?sort=-name` - Sort by name descending
            - `?sort=+description&sort=name` - Sort by description ascending, then name descending

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | list[ApplicationReadShortResponse]
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
) -> Response[Any | HTTPValidationError | list[ApplicationReadShortResponse]]:
    """List available applications

     Returns the list of the applications, available to the caller.

    The application is available if any of the versions of the application is assigned to the caller's
    organization.
    The response is paginated and sorted according to the provided parameters.

    Args:
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

            **Available fields:**
            - `application_id`
            - `name`
            - `description`
            - `regulatory_classes`

            **Examples:**
            - `?sort=application_id` - Sort by application_id ascending
            - `?sort=-name` - Sort by name descending
            - `?sort=+description&sort=name` - Sort by description ascending, then name descending

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[ApplicationReadShortResponse]]
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
) -> Any | HTTPValidationError | list[ApplicationReadShortResponse] | None:
    """List available applications

     Returns the list of the applications, available to the caller.

    The application is available if any of the versions of the application is assigned to the caller's
    organization.
    The response is paginated and sorted according to the provided parameters.

    Args:
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

            **Available fields:**
            - `application_id`
            - `name`
            - `description`
            - `regulatory_classes`

            **Examples:**
            - `?sort=application_id` - Sort by application_id ascending
            - `?sort=-name` - Sort by name descending
            - `?sort=+description&sort=name` - Sort by description ascending, then name descending

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | list[ApplicationReadShortResponse]
    """

    return (
        await asyncio_detailed(
            client=client,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
