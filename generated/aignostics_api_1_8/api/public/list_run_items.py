from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.item_result_read_response import ItemResultReadResponse
from ...models.item_state import ItemState
from ...models.item_termination_reason import ItemTerminationReason
from ...types import UNSET, Response, Unset


def _get_kwargs(
    run_id: str,
    *,
    share_token: None | str | Unset = UNSET,
    item_id_in: list[str] | None | Unset = UNSET,
    external_id_in: list[str] | None | Unset = UNSET,
    state: ItemState | None | Unset = UNSET,
    termination_reason: ItemTerminationReason | None | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_share_token: None | str | Unset
    if isinstance(share_token, Unset):
        json_share_token = UNSET
    else:
        json_share_token = share_token
    params["share_token"] = json_share_token

    json_item_id_in: list[str] | None | Unset
    if isinstance(item_id_in, Unset):
        json_item_id_in = UNSET
    elif isinstance(item_id_in, list):
        json_item_id_in = item_id_in

    else:
        json_item_id_in = item_id_in
    params["item_id__in"] = json_item_id_in

    json_external_id_in: list[str] | None | Unset
    if isinstance(external_id_in, Unset):
        json_external_id_in = UNSET
    elif isinstance(external_id_in, list):
        json_external_id_in = external_id_in

    else:
        json_external_id_in = external_id_in
    params["external_id__in"] = json_external_id_in

    json_state: None | str | Unset
    if isinstance(state, Unset):
        json_state = UNSET
    elif isinstance(state, ItemState):
        json_state = state.value
    else:
        json_state = state
    params["state"] = json_state

    json_termination_reason: None | str | Unset
    if isinstance(termination_reason, Unset):
        json_termination_reason = UNSET
    elif isinstance(termination_reason, ItemTerminationReason):
        json_termination_reason = termination_reason.value
    else:
        json_termination_reason = termination_reason
    params["termination_reason"] = json_termination_reason

    json_custom_metadata: None | str | Unset
    if isinstance(custom_metadata, Unset):
        json_custom_metadata = UNSET
    else:
        json_custom_metadata = custom_metadata
    params["custom_metadata"] = json_custom_metadata

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
        "url": "/v1/runs/{run_id}/items".format(
            run_id=quote(str(run_id), safe=""),
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
    run_id: str,
    *,
    client: AuthenticatedClient,
    share_token: None | str | Unset = UNSET,
    item_id_in: list[str] | None | Unset = UNSET,
    external_id_in: list[str] | None | Unset = UNSET,
    state: ItemState | None | Unset = UNSET,
    termination_reason: ItemTerminationReason | None | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | list[ItemResultReadResponse]]:
    """List Run Items

     List items in a run with filtering, sorting, and pagination capabilities.

    Returns paginated items within a specific run. Results can be filtered
    by `item_id`, `external_ids`, `custom_metadata`, `terminated_at`, and `termination_reason` using
    JSONPath expressions.

    ## JSONPath Metadata Filtering
    Use PostgreSQL JSONPath expressions to filter items using their custom_metadata.

    ### Examples:
    - **Field existence**: `$.case_id` - Results that have a case_id field defined
    - **Exact value match**: `$.priority ? (@ == "high")` - Results with high priority
    - **Numeric comparison**: `$.confidence_score ? (@ > 0.95)` - Results with high confidence
    - **Array operations**: `$.flags[*] ? (@ == "reviewed")` - Results flagged as reviewed
    - **Complex conditions**: `$.metrics ? (@.accuracy > 0.9 && @.recall > 0.8)` - Results meeting
    performance thresholds

    ## Notes
    - JSONPath expressions are evaluated using PostgreSQL's `@?` operator
    - The `$.` prefix is automatically added to root-level field references if missing
    - String values in conditions must be enclosed in double quotes
    - Use `&&` for AND operations and `||` for OR operations

    Args:
        run_id (str): Run id, returned by `POST /v1/runs/` endpoint
        share_token (None | str | Unset): Share token for accessing shared runs
        item_id_in (list[str] | None | Unset): Filter for item ids
        external_id_in (list[str] | None | Unset): Filter for items by their external_id from the
            input payload
        state (ItemState | None | Unset): Filter items by their state
        termination_reason (ItemTerminationReason | None | Unset): Filter items by their
            termination reason. Only applies to TERMINATED items.
        custom_metadata (None | str | Unset): JSONPath expression to filter items by their
            custom_metadata
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the items by one or more fields. Use `+` for
            ascending and `-` for descending order.
                            **Available fields:**
            - `item_id`
            - `external_id`
            - `custom_metadata`
            - `terminated_at`
            - `termination_reason`

            **Examples:**
            - `?sort=item_id` - Sort by id of the item (ascending)
            - `?sort=-external_id` - Sort by external ID (descending)
            - `?sort=custom_metadata&sort=-external_id` - Sort by metadata, then by external ID
            (descending)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[ItemResultReadResponse]]
    """

    kwargs = _get_kwargs(
        run_id=run_id,
        share_token=share_token,
        item_id_in=item_id_in,
        external_id_in=external_id_in,
        state=state,
        termination_reason=termination_reason,
        custom_metadata=custom_metadata,
        page=page,
        page_size=page_size,
        sort=sort,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    run_id: str,
    *,
    client: AuthenticatedClient,
    share_token: None | str | Unset = UNSET,
    item_id_in: list[str] | None | Unset = UNSET,
    external_id_in: list[str] | None | Unset = UNSET,
    state: ItemState | None | Unset = UNSET,
    termination_reason: ItemTerminationReason | None | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | list[ItemResultReadResponse] | None:
    """List Run Items

     List items in a run with filtering, sorting, and pagination capabilities.

    Returns paginated items within a specific run. Results can be filtered
    by `item_id`, `external_ids`, `custom_metadata`, `terminated_at`, and `termination_reason` using
    JSONPath expressions.

    ## JSONPath Metadata Filtering
    Use PostgreSQL JSONPath expressions to filter items using their custom_metadata.

    ### Examples:
    - **Field existence**: `$.case_id` - Results that have a case_id field defined
    - **Exact value match**: `$.priority ? (@ == "high")` - Results with high priority
    - **Numeric comparison**: `$.confidence_score ? (@ > 0.95)` - Results with high confidence
    - **Array operations**: `$.flags[*] ? (@ == "reviewed")` - Results flagged as reviewed
    - **Complex conditions**: `$.metrics ? (@.accuracy > 0.9 && @.recall > 0.8)` - Results meeting
    performance thresholds

    ## Notes
    - JSONPath expressions are evaluated using PostgreSQL's `@?` operator
    - The `$.` prefix is automatically added to root-level field references if missing
    - String values in conditions must be enclosed in double quotes
    - Use `&&` for AND operations and `||` for OR operations

    Args:
        run_id (str): Run id, returned by `POST /v1/runs/` endpoint
        share_token (None | str | Unset): Share token for accessing shared runs
        item_id_in (list[str] | None | Unset): Filter for item ids
        external_id_in (list[str] | None | Unset): Filter for items by their external_id from the
            input payload
        state (ItemState | None | Unset): Filter items by their state
        termination_reason (ItemTerminationReason | None | Unset): Filter items by their
            termination reason. Only applies to TERMINATED items.
        custom_metadata (None | str | Unset): JSONPath expression to filter items by their
            custom_metadata
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the items by one or more fields. Use `+` for
            ascending and `-` for descending order.
                            **Available fields:**
            - `item_id`
            - `external_id`
            - `custom_metadata`
            - `terminated_at`
            - `termination_reason`

            **Examples:**
            - `?sort=item_id` - Sort by id of the item (ascending)
            - `?sort=-external_id` - Sort by external ID (descending)
            - `?sort=custom_metadata&sort=-external_id` - Sort by metadata, then by external ID
            (descending)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | list[ItemResultReadResponse]
    """

    return sync_detailed(
        run_id=run_id,
        client=client,
        share_token=share_token,
        item_id_in=item_id_in,
        external_id_in=external_id_in,
        state=state,
        termination_reason=termination_reason,
        custom_metadata=custom_metadata,
        page=page,
        page_size=page_size,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    run_id: str,
    *,
    client: AuthenticatedClient,
    share_token: None | str | Unset = UNSET,
    item_id_in: list[str] | None | Unset = UNSET,
    external_id_in: list[str] | None | Unset = UNSET,
    state: ItemState | None | Unset = UNSET,
    termination_reason: ItemTerminationReason | None | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | list[ItemResultReadResponse]]:
    """List Run Items

     List items in a run with filtering, sorting, and pagination capabilities.

    Returns paginated items within a specific run. Results can be filtered
    by `item_id`, `external_ids`, `custom_metadata`, `terminated_at`, and `termination_reason` using
    JSONPath expressions.

    ## JSONPath Metadata Filtering
    Use PostgreSQL JSONPath expressions to filter items using their custom_metadata.

    ### Examples:
    - **Field existence**: `$.case_id` - Results that have a case_id field defined
    - **Exact value match**: `$.priority ? (@ == "high")` - Results with high priority
    - **Numeric comparison**: `$.confidence_score ? (@ > 0.95)` - Results with high confidence
    - **Array operations**: `$.flags[*] ? (@ == "reviewed")` - Results flagged as reviewed
    - **Complex conditions**: `$.metrics ? (@.accuracy > 0.9 && @.recall > 0.8)` - Results meeting
    performance thresholds

    ## Notes
    - JSONPath expressions are evaluated using PostgreSQL's `@?` operator
    - The `$.` prefix is automatically added to root-level field references if missing
    - String values in conditions must be enclosed in double quotes
    - Use `&&` for AND operations and `||` for OR operations

    Args:
        run_id (str): Run id, returned by `POST /v1/runs/` endpoint
        share_token (None | str | Unset): Share token for accessing shared runs
        item_id_in (list[str] | None | Unset): Filter for item ids
        external_id_in (list[str] | None | Unset): Filter for items by their external_id from the
            input payload
        state (ItemState | None | Unset): Filter items by their state
        termination_reason (ItemTerminationReason | None | Unset): Filter items by their
            termination reason. Only applies to TERMINATED items.
        custom_metadata (None | str | Unset): JSONPath expression to filter items by their
            custom_metadata
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the items by one or more fields. Use `+` for
            ascending and `-` for descending order.
                            **Available fields:**
            - `item_id`
            - `external_id`
            - `custom_metadata`
            - `terminated_at`
            - `termination_reason`

            **Examples:**
            - `?sort=item_id` - Sort by id of the item (ascending)
            - `?sort=-external_id` - Sort by external ID (descending)
            - `?sort=custom_metadata&sort=-external_id` - Sort by metadata, then by external ID
            (descending)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[ItemResultReadResponse]]
    """

    kwargs = _get_kwargs(
        run_id=run_id,
        share_token=share_token,
        item_id_in=item_id_in,
        external_id_in=external_id_in,
        state=state,
        termination_reason=termination_reason,
        custom_metadata=custom_metadata,
        page=page,
        page_size=page_size,
        sort=sort,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    run_id: str,
    *,
    client: AuthenticatedClient,
    share_token: None | str | Unset = UNSET,
    item_id_in: list[str] | None | Unset = UNSET,
    external_id_in: list[str] | None | Unset = UNSET,
    state: ItemState | None | Unset = UNSET,
    termination_reason: ItemTerminationReason | None | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | list[ItemResultReadResponse] | None:
    """List Run Items

     List items in a run with filtering, sorting, and pagination capabilities.

    Returns paginated items within a specific run. Results can be filtered
    by `item_id`, `external_ids`, `custom_metadata`, `terminated_at`, and `termination_reason` using
    JSONPath expressions.

    ## JSONPath Metadata Filtering
    Use PostgreSQL JSONPath expressions to filter items using their custom_metadata.

    ### Examples:
    - **Field existence**: `$.case_id` - Results that have a case_id field defined
    - **Exact value match**: `$.priority ? (@ == "high")` - Results with high priority
    - **Numeric comparison**: `$.confidence_score ? (@ > 0.95)` - Results with high confidence
    - **Array operations**: `$.flags[*] ? (@ == "reviewed")` - Results flagged as reviewed
    - **Complex conditions**: `$.metrics ? (@.accuracy > 0.9 && @.recall > 0.8)` - Results meeting
    performance thresholds

    ## Notes
    - JSONPath expressions are evaluated using PostgreSQL's `@?` operator
    - The `$.` prefix is automatically added to root-level field references if missing
    - String values in conditions must be enclosed in double quotes
    - Use `&&` for AND operations and `||` for OR operations

    Args:
        run_id (str): Run id, returned by `POST /v1/runs/` endpoint
        share_token (None | str | Unset): Share token for accessing shared runs
        item_id_in (list[str] | None | Unset): Filter for item ids
        external_id_in (list[str] | None | Unset): Filter for items by their external_id from the
            input payload
        state (ItemState | None | Unset): Filter items by their state
        termination_reason (ItemTerminationReason | None | Unset): Filter items by their
            termination reason. Only applies to TERMINATED items.
        custom_metadata (None | str | Unset): JSONPath expression to filter items by their
            custom_metadata
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the items by one or more fields. Use `+` for
            ascending and `-` for descending order.
                            **Available fields:**
            - `item_id`
            - `external_id`
            - `custom_metadata`
            - `terminated_at`
            - `termination_reason`

            **Examples:**
            - `?sort=item_id` - Sort by id of the item (ascending)
            - `?sort=-external_id` - Sort by external ID (descending)
            - `?sort=custom_metadata&sort=-external_id` - Sort by metadata, then by external ID
            (descending)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | list[ItemResultReadResponse]
    """

    return (
        await asyncio_detailed(
            run_id=run_id,
            client=client,
            share_token=share_token,
            item_id_in=item_id_in,
            external_id_in=external_id_in,
            state=state,
            termination_reason=termination_reason,
            custom_metadata=custom_metadata,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
