from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.item_result_read_response import ItemResultReadResponse
from ...models.item_status import ItemStatus
from ...types import UNSET, Response, Unset


def _get_kwargs(
    application_run_id: str,
    *,
    item_id_in: list[str] | None | Unset = UNSET,
    reference_in: list[str] | None | Unset = UNSET,
    status_in: list[ItemStatus] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_item_id_in: list[str] | None | Unset
    if isinstance(item_id_in, Unset):
        json_item_id_in = UNSET
    elif isinstance(item_id_in, list):
        json_item_id_in = item_id_in

    else:
        json_item_id_in = item_id_in
    params["item_id__in"] = json_item_id_in

    json_reference_in: list[str] | None | Unset
    if isinstance(reference_in, Unset):
        json_reference_in = UNSET
    elif isinstance(reference_in, list):
        json_reference_in = reference_in

    else:
        json_reference_in = reference_in
    params["reference__in"] = json_reference_in

    json_status_in: list[str] | None | Unset
    if isinstance(status_in, Unset):
        json_status_in = UNSET
    elif isinstance(status_in, list):
        json_status_in = []
        for status_in_type_0_item_data in status_in:
            status_in_type_0_item = status_in_type_0_item_data.value
            json_status_in.append(status_in_type_0_item)

    else:
        json_status_in = status_in
    params["status__in"] = json_status_in

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
        "url": "/v1/runs/{application_run_id}/results".format(
            application_run_id=quote(str(application_run_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | list[ItemResultReadResponse] | None:
    if response.status_code == 200:
        _response_200 = response.json()
        if not isinstance(_response_200, list):
            raise TypeError("response_200 is no list")
        response_200 = [
            ItemResultReadResponse.from_dict(each) for each in _response_200
        ]

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
) -> Response[Any | HTTPValidationError | list[ItemResultReadResponse]]:
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
    item_id_in: list[str] | None | Unset = UNSET,
    reference_in: list[str] | None | Unset = UNSET,
    status_in: list[ItemStatus] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | list[ItemResultReadResponse]]:
    """List Run Results

     Get the list of the results for the run items

    Args:
        application_run_id (str):
        item_id_in (list[str] | None | Unset):
        reference_in (list[str] | None | Unset):
        status_in (list[ItemStatus] | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[ItemResultReadResponse]]
    """

    kwargs = _get_kwargs(
        application_run_id=application_run_id,
        item_id_in=item_id_in,
        reference_in=reference_in,
        status_in=status_in,
        page=page,
        page_size=page_size,
        sort=sort,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
    item_id_in: list[str] | None | Unset = UNSET,
    reference_in: list[str] | None | Unset = UNSET,
    status_in: list[ItemStatus] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | list[ItemResultReadResponse] | None:
    """List Run Results

     Get the list of the results for the run items

    Args:
        application_run_id (str):
        item_id_in (list[str] | None | Unset):
        reference_in (list[str] | None | Unset):
        status_in (list[ItemStatus] | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | list[ItemResultReadResponse]
    """

    return sync_detailed(
        application_run_id=application_run_id,
        client=client,
        item_id_in=item_id_in,
        reference_in=reference_in,
        status_in=status_in,
        page=page,
        page_size=page_size,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
    item_id_in: list[str] | None | Unset = UNSET,
    reference_in: list[str] | None | Unset = UNSET,
    status_in: list[ItemStatus] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | list[ItemResultReadResponse]]:
    """List Run Results

     Get the list of the results for the run items

    Args:
        application_run_id (str):
        item_id_in (list[str] | None | Unset):
        reference_in (list[str] | None | Unset):
        status_in (list[ItemStatus] | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[ItemResultReadResponse]]
    """

    kwargs = _get_kwargs(
        application_run_id=application_run_id,
        item_id_in=item_id_in,
        reference_in=reference_in,
        status_in=status_in,
        page=page,
        page_size=page_size,
        sort=sort,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
    item_id_in: list[str] | None | Unset = UNSET,
    reference_in: list[str] | None | Unset = UNSET,
    status_in: list[ItemStatus] | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | list[ItemResultReadResponse] | None:
    """List Run Results

     Get the list of the results for the run items

    Args:
        application_run_id (str):
        item_id_in (list[str] | None | Unset):
        reference_in (list[str] | None | Unset):
        status_in (list[ItemStatus] | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | list[ItemResultReadResponse]
    """

    return (
        await asyncio_detailed(
            application_run_id=application_run_id,
            client=client,
            item_id_in=item_id_in,
            reference_in=reference_in,
            status_in=status_in,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
