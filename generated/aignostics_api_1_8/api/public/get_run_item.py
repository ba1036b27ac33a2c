from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.item_result_read_response import ItemResultReadResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    run_id: str,
    external_id: str,
    *,
    share_token: None | str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_share_token: None | str | Unset
    if isinstance(share_token, Unset):
        json_share_token = UNSET
    else:
        json_share_token = share_token
    params["share_token"] = json_share_token

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/runs/{run_id}/items/{external_id}".format(
            run_id=quote(str(run_id), safe=""),
            external_id=quote(str(external_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | ItemResultReadResponse | None:
    if response.status_code == 200:
        response_200 = ItemResultReadResponse.from_dict(response.json())

        return response_200

    if response.status_code == 403:
        response_403 = cast(Any, None)
        return response_403

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
) -> Response[Any | HTTPValidationError | ItemResultReadResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    run_id: str,
    external_id: str,
    *,
    client: AuthenticatedClient,
    share_token: None | str | Unset = UNSET,
) -> Response[Any | HTTPValidationError | ItemResultReadResponse]:
    """Get Item By Run

     Retrieve details of a specific item (slide) by its external ID and the run ID.

    Args:
        run_id (str): The run id, returned by `POST /runs/` endpoint
        external_id (str): The `external_id` that was defined for the item by the customer that
            triggered the run.
        share_token (None | str | Unset): Share token for accessing shared runs

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | ItemResultReadResponse]
    """

    kwargs = _get_kwargs(
        run_id=run_id,
        external_id=external_id,
        share_token=share_token,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    run_id: str,
    external_id: str,
    *,
    client: AuthenticatedClient,
    share_token: None | str | Unset = UNSET,
) -> Any | HTTPValidationError | ItemResultReadResponse | None:
    """Get Item By Run

     Retrieve details of a specific item (slide) by its external ID and the run ID.

    Args:
        run_id (str): The run id, returned by `POST /runs/` endpoint
        external_id (str): The `external_id` that was defined for the item by the customer that
            triggered the run.
        share_token (None | str | Unset): Share token for accessing shared runs

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | ItemResultReadResponse
    """

    return sync_detailed(
        run_id=run_id,
        external_id=external_id,
        client=client,
        share_token=share_token,
    ).parsed


async def asyncio_detailed(
    run_id: str,
    external_id: str,
    *,
    client: AuthenticatedClient,
    share_token: None | str | Unset = UNSET,
) -> Response[Any | HTTPValidationError | ItemResultReadResponse]:
    """Get Item By Run

     Retrieve details of a specific item (slide) by its external ID and the run ID.

    Args:
        run_id (str): The run id, returned by `POST /runs/` endpoint
        external_id (str): The `external_id` that was defined for the item by the customer that
            triggered the run.
        share_token (None | str | Unset): Share token for accessing shared runs

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | ItemResultReadResponse]
    """

    kwargs = _get_kwargs(
        run_id=run_id,
        external_id=external_id,
        share_token=share_token,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    run_id: str,
    external_id: str,
    *,
    client: AuthenticatedClient,
    share_token: None | str | Unset = UNSET,
) -> Any | HTTPValidationError | ItemResultReadResponse | None:
    """Get Item By Run

     Retrieve details of a specific item (slide) by its external ID and the run ID.

    Args:
        run_id (str): The run id, returned by `POST /runs/` endpoint
        external_id (str): The `external_id` that was defined for the item by the customer that
            triggered the run.
        share_token (None | str | Unset): Share token for accessing shared runs

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | ItemResultReadResponse
    """

    return (
        await asyncio_detailed(
            run_id=run_id,
            external_id=external_id,
            client=client,
            share_token=share_token,
        )
    ).parsed
