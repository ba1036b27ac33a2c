from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.share_token_read_response import ShareTokenReadResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    run_id: None | str | Unset = UNSET,
    created_by: None | str | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_run_id: None | str | Unset
    if isinstance(run_id, Unset):
        json_run_id = UNSET
    else:
        json_run_id = run_id
    params["run_id"] = json_run_id

    json_created_by: None | str | Unset
    if isinstance(created_by, Unset):
        json_created_by = UNSET
    else:
        json_created_by = created_by
    params["created_by"] = json_created_by

    json_revoked: bool | None | Unset
    if isinstance(revoked, Unset):
        json_revoked = UNSET
    else:
        json_revoked = revoked
    params["revoked"] = json_revoked

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
        "url": "/v1/access/share-tokens",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> HTTPValidationError | list[ShareTokenReadResponse] | None:
    if response.status_code == 200:
        _response_200 = response.json()
        if not isinstance(_response_200, list):
            raise TypeError("response_200 is no list")
        response_200 = [
            ShareTokenReadResponse.from_dict(each) for each in _response_200
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
) -> Response[HTTPValidationError | list[ShareTokenReadResponse]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    run_id: None | str | Unset = UNSET,
    created_by: None | str | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[HTTPValidationError | list[ShareTokenReadResponse]]:
    """List Share Tokens

     List share tokens. Service and Superadmin see all tokens; other users see only their own.

    Args:
        run_id (None | str | Unset): Filter by run ID
        created_by (None | str | Unset): Filter by share token creator
        revoked (bool | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | list[ShareTokenReadResponse]]
    """

    kwargs = _get_kwargs(
        run_id=run_id,
        created_by=created_by,
        revoked=revoked,
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
    run_id: None | str | Unset = UNSET,
    created_by: None | str | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> HTTPValidationError | list[ShareTokenReadResponse] | None:
    """List Share Tokens

     List share tokens. Service and Superadmin see all tokens; other users see only their own.

    Args:
        run_id (None | str | Unset): Filter by run ID
        created_by (None | str | Unset): Filter by share token creator
        revoked (bool | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | list[ShareTokenReadResponse]
    """

    return sync_detailed(
        client=client,
        run_id=run_id,
        created_by=created_by,
        revoked=revoked,
        page=page,
        page_size=page_size,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    run_id: None | str | Unset = UNSET,
    created_by: None | str | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[HTTPValidationError | list[ShareTokenReadResponse]]:
    """List Share Tokens

     List share tokens. Service and Superadmin see all tokens; other users see only their own.

    Args:
        run_id (None | str | Unset): Filter by run ID
        created_by (None | str | Unset): Filter by share token creator
        revoked (bool | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | list[ShareTokenReadResponse]]
    """

    kwargs = _get_kwargs(
        run_id=run_id,
        created_by=created_by,
        revoked=revoked,
        page=page,
        page_size=page_size,
        sort=sort,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    run_id: None | str | Unset = UNSET,
    created_by: None | str | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> HTTPValidationError | list[ShareTokenReadResponse] | None:
    """List Share Tokens

     List share tokens. Service and Superadmin see all tokens; other users see only their own.

    Args:
        run_id (None | str | Unset): Filter by run ID
        created_by (None | str | Unset): Filter by share token creator
        revoked (bool | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | list[ShareTokenReadResponse]
    """

    return (
        await asyncio_detailed(
            client=client,
            run_id=run_id,
            created_by=created_by,
            revoked=revoked,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
