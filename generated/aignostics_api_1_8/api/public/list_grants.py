from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.grant_read_response import GrantReadResponse
from ...models.grant_relation import GrantRelation
from ...models.http_validation_error import HTTPValidationError
from ...models.resource_type import ResourceType
from ...models.subject_type import SubjectType
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    resource_type: None | ResourceType | Unset = UNSET,
    resource_id: None | str | Unset = UNSET,
    subject_type: None | SubjectType | Unset = UNSET,
    subject_id: None | str | Unset = UNSET,
    relation: list[GrantRelation] | None | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_resource_type: None | str | Unset
    if isinstance(resource_type, Unset):
        json_resource_type = UNSET
    elif isinstance(resource_type, ResourceType):
        json_resource_type = resource_type.value
    else:
        json_resource_type = resource_type
    params["resource_type"] = json_resource_type

    json_resource_id: None | str | Unset
    if isinstance(resource_id, Unset):
        json_resource_id = UNSET
    else:
        json_resource_id = resource_id
    params["resource_id"] = json_resource_id

    json_subject_type: None | str | Unset
    if isinstance(subject_type, Unset):
        json_subject_type = UNSET
    elif isinstance(subject_type, SubjectType):
        json_subject_type = subject_type.value
    else:
        json_subject_type = subject_type
    params["subject_type"] = json_subject_type

    json_subject_id: None | str | Unset
    if isinstance(subject_id, Unset):
        json_subject_id = UNSET
    else:
        json_subject_id = subject_id
    params["subject_id"] = json_subject_id

    json_relation: list[str] | None | Unset
    if isinstance(relation, Unset):
        json_relation = UNSET
    elif isinstance(relation, list):
        json_relation = []
        for relation_type_0_item_data in relation:
            relation_type_0_item = relation_type_0_item_data.value
            json_relation.append(relation_type_0_item)

    else:
        json_relation = relation
    params["relation"] = json_relation

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
        "url": "/v1/access/grants",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> HTTPValidationError | list[GrantReadResponse] | None:
    if response.status_code == 200:
        _response_200 = response.json()
        if not isinstance(_response_200, list):
            raise TypeError("response_200 is no list")
        response_200 = [GrantReadResponse.from_dict(each) for each in _response_200]

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
) -> Response[HTTPValidationError | list[GrantReadResponse]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    resource_type: None | ResourceType | Unset = UNSET,
    resource_id: None | str | Unset = UNSET,
    subject_type: None | SubjectType | Unset = UNSET,
    subject_id: None | str | Unset = UNSET,
    relation: list[GrantRelation] | None | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[HTTPValidationError | list[GrantReadResponse]]:
    """List Grants

     List grants.

    Org admins see all grants for all resources in their organization.
    Regular users see grants for all resources they submitted.

    Args:
        resource_type (None | ResourceType | Unset):
        resource_id (None | str | Unset):
        subject_type (None | SubjectType | Unset):
        subject_id (None | str | Unset):
        relation (list[GrantRelation] | None | Unset): Filter grants by relation type. Can be
            specified multiple times.
        revoked (bool | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | list[GrantReadResponse]]
    """

    kwargs = _get_kwargs(
        resource_type=resource_type,
        resource_id=resource_id,
        subject_type=subject_type,
        subject_id=subject_id,
        relation=relation,
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
    resource_type: None | ResourceType | Unset = UNSET,
    resource_id: None | str | Unset = UNSET,
    subject_type: None | SubjectType | Unset = UNSET,
    subject_id: None | str | Unset = UNSET,
    relation: list[GrantRelation] | None | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> HTTPValidationError | list[GrantReadResponse] | None:
    """List Grants

     List grants.

    Org admins see all grants for all resources in their organization.
    Regular users see grants for all resources they submitted.

    Args:
        resource_type (None | ResourceType | Unset):
        resource_id (None | str | Unset):
        subject_type (None | SubjectType | Unset):
        subject_id (None | str | Unset):
        relation (list[GrantRelation] | None | Unset): Filter grants by relation type. Can be
            specified multiple times.
        revoked (bool | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | list[GrantReadResponse]
    """

    return sync_detailed(
        client=client,
        resource_type=resource_type,
        resource_id=resource_id,
        subject_type=subject_type,
        subject_id=subject_id,
        relation=relation,
        revoked=revoked,
        page=page,
        page_size=page_size,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    resource_type: None | ResourceType | Unset = UNSET,
    resource_id: None | str | Unset = UNSET,
    subject_type: None | SubjectType | Unset = UNSET,
    subject_id: None | str | Unset = UNSET,
    relation: list[GrantRelation] | None | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> Response[HTTPValidationError | list[GrantReadResponse]]:
    """List Grants

     List grants.

    Org admins see all grants for all resources in their organization.
    Regular users see grants for all resources they submitted.

    Args:
        resource_type (None | ResourceType | Unset):
        resource_id (None | str | Unset):
        subject_type (None | SubjectType | Unset):
        subject_id (None | str | Unset):
        relation (list[GrantRelation] | None | Unset): Filter grants by relation type. Can be
            specified multiple times.
        revoked (bool | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[HTTPValidationError | list[GrantReadResponse]]
    """

    kwargs = _get_kwargs(
        resource_type=resource_type,
        resource_id=resource_id,
        subject_type=subject_type,
        subject_id=subject_id,
        relation=relation,
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
    resource_type: None | ResourceType | Unset = UNSET,
    resource_id: None | str | Unset = UNSET,
    subject_type: None | SubjectType | Unset = UNSET,
    subject_id: None | str | Unset = UNSET,
    relation: list[GrantRelation] | None | Unset = UNSET,
    revoked: bool | None | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    sort: list[str] | None | Unset = UNSET,
) -> HTTPValidationError | list[GrantReadResponse] | None:
    """List Grants

     List grants.

    Org admins see all grants for all resources in their organization.
    Regular users see grants for all resources they submitted.

    Args:
        resource_type (None | ResourceType | Unset):
        resource_id (None | str | Unset):
        subject_type (None | SubjectType | Unset):
        subject_id (None | str | Unset):
        relation (list[GrantRelation] | None | Unset): Filter grants by relation type. Can be
            specified multiple times.
        revoked (bool | None | Unset):
        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        HTTPValidationError | list[GrantReadResponse]
    """

    return (
        await asyncio_detailed(
            client=client,
            resource_type=resource_type,
            resource_id=resource_id,
            subject_type=subject_type,
            subject_id=subject_id,
            relation=relation,
            revoked=revoked,
            page=page,
            page_size=page_size,
            sort=sort,
        )
    ).parsed
