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
    external_id: None | str | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    submitted_by: None | str | Unset = UNSET,
    organization_id: None | str | Unset = UNSET,
    for_organization: None | str | Unset = UNSET,
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

    json_external_id: None | str | Unset
    if isinstance(external_id, Unset):
        json_external_id = UNSET
    else:
        json_external_id = external_id
    params["external_id"] = json_external_id

    json_custom_metadata: None | str | Unset
    if isinstance(custom_metadata, Unset):
        json_custom_metadata = UNSET
    else:
        json_custom_metadata = custom_metadata
    params["custom_metadata"] = json_custom_metadata

    params["page"] = page

    params["page_size"] = page_size

    json_submitted_by: None | str | Unset
    if isinstance(submitted_by, Unset):
        json_submitted_by = UNSET
    else:
        json_submitted_by = submitted_by
    params["submitted_by"] = json_submitted_by

    json_organization_id: None | str | Unset
    if isinstance(organization_id, Unset):
        json_organization_id = UNSET
    else:
        json_organization_id = organization_id
    params["organization_id"] = json_organization_id

    json_for_organization: None | str | Unset
    if isinstance(for_organization, Unset):
        json_for_organization = UNSET
    else:
        json_for_organization = for_organization
    params["for_organization"] = json_for_organization

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
    external_id: None | str | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    submitted_by: None | str | Unset = UNSET,
    organization_id: None | str | Unset = UNSET,
    for_organization: None | str | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | list[RunReadResponse]]:
    """List Runs

     List runs with filtering, sorting, and pagination capabilities.

    Returns paginated runs that were submitted by the user.

    Args:
        application_id (None | str | Unset): Optional application ID filter
        application_version (None | str | Unset): Optional Version Name
        external_id (None | str | Unset): Optionally filter runs by items with this external ID
        custom_metadata (None | str | Unset): Use PostgreSQL JSONPath expressions to filter runs
            by their custom_metadata.
            #### URL Encoding Required
            **Important**: JSONPath expressions contain special characters that must be URL-encoded
            when used in query parameters. Most HTTP clients handle this automatically, but when
            constructing URLs manually, please ensure proper encoding.

            #### Examples (Clear Format):
            - **Field existence**: `$.study` - Runs that have a study field defined
            - **Exact value match**: `$.study ? (@ == "high")` - Runs with specific study value
            - **Numeric comparison**: `$.confidence_score ? (@ > 0.75)` - Runs with confidence score
            greater than 0.75
            - **Array operations**: `$.tags[*] ? (@ == "draft")` - Runs with tags array containing
            "draft"
            - **Complex conditions**: `$.resources ? (@.gpu_count > 2 && @.memory_gb >= 16)` - Runs
            with high resource requirements

            #### Examples (URL-Encoded Format):
            - **Field existence**: `%24.study`
            - **Exact value match**: `%24.study%20%3F%20(%40%20%3D%3D%20%22high%22)`
            - **Numeric comparison**: `%24.confidence_score%20%3F%20(%40%20%3E%200.75)`
            - **Array operations**: `%24.tags%5B*%5D%20%3F%20(%40%20%3D%3D%20%22draft%22)`
            - **Complex conditions**:
            `%24.resources%20%3F%20(%40.gpu_count%20%3E%202%20%26%26%20%40.memory_gb%20%3E%3D%2016)`

            #### Notes
            - JSONPath expressions are evaluated using PostgreSQL's `@?` operator
            - The `$.` prefix is automatically added to root-level field references if missing
            - String values in conditions must be enclosed in double quotes
            - Use `&&` for AND operations and `||` for OR operations
            - Regular expressions use `like_regex` with standard regex syntax
            - **Please remember to URL-encode the entire JSONPath expression when making HTTP
            requests**


        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        submitted_by (None | str | Unset): Filter runs by the user who submitted them. Use the
            special value `me` to return only runs submitted by the current user.
        organization_id (None | str | Unset): Filter runs by the organization of the submitter.
            Use the special value `my_org` to filter by the current user's organization.
        for_organization (None | str | Unset): Filter runs by organization ID. Available for
            superadmins (any org) and admins (own org only). When provided, returns all runs for the
            specified organization instead of only the caller's own runs.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

            **Available fields:**
            - `run_id`
            - `application_id`
            - `version_number`
            - `custom_metadata`
            - `submitted_at`
            - `submitted_by`
            - `terminated_at`
            - `termination_reason`

            **Examples:**
            - `?sort=submitted_at` - Sort by creation time (ascending)
            - `?sort=-submitted_at` - Sort by creation time (descending)
            - `?sort=state&sort=-submitted_at` - Sort by state, then by time (descending)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[RunReadResponse]]
    """

    kwargs = _get_kwargs(
        application_id=application_id,
        application_version=application_version,
        external_id=external_id,
        custom_metadata=custom_metadata,
        page=page,
        page_size=page_size,
        submitted_by=submitted_by,
        organization_id=organization_id,
        for_organization=for_organization,
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
    external_id: None | str | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    submitted_by: None | str | Unset = UNSET,
    organization_id: None | str | Unset = UNSET,
    for_organization: None | str | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | list[RunReadResponse] | None:
    """List Runs

     List runs with filtering, sorting, and pagination capabilities.

    Returns paginated runs that were submitted by the user.

    Args:
        application_id (None | str | Unset): Optional application ID filter
        application_version (None | str | Unset): Optional Version Name
        external_id (None | str | Unset): Optionally filter runs by items with this external ID
        custom_metadata (None | str | Unset): Use PostgreSQL JSONPath expressions to filter runs
            by their custom_metadata.
            #### URL Encoding Required
            **Important**: JSONPath expressions contain special characters that must be URL-encoded
            when used in query parameters. Most HTTP clients handle this automatically, but when
            constructing URLs manually, please ensure proper encoding.

            #### Examples (Clear Format):
            - **Field existence**: `$.study` - Runs that have a study field defined
            - **Exact value match**: `$.study ? (@ == "high")` - Runs with specific study value
            - **Numeric comparison**: `$.confidence_score ? (@ > 0.75)` - Runs with confidence score
            greater than 0.75
            - **Array operations**: `$.tags[*] ? (@ == "draft")` - Runs with tags array containing
            "draft"
            - **Complex conditions**: `$.resources ? (@.gpu_count > 2 && @.memory_gb >= 16)` - Runs
            with high resource requirements

            #### Examples (URL-Encoded Format):
            - **Field existence**: `%24.study`
            - **Exact value match**: `%24.study%20%3F%20(%40%20%3D%3D%20%22high%22)`
            - **Numeric comparison**: `%24.confidence_score%20%3F%20(%40%20%3E%200.75)`
            - **Array operations**: `%24.tags%5B*%5D%20%3F%20(%40%20%3D%3D%20%22draft%22)`
            - **Complex conditions**:
            `%24.resources%20%3F%20(%40.gpu_count%20%3E%202%20%26%26%20%40.memory_gb%20%3E%3D%2016)`

            #### Notes
            - JSONPath expressions are evaluated using PostgreSQL's `@?` operator
            - The `$.` prefix is automatically added to root-level field references if missing
            - String values in conditions must be enclosed in double quotes
            - Use `&&` for AND operations and `||` for OR operations
            - Regular expressions use `like_regex` with standard regex syntax
            - **Please remember to URL-encode the entire JSONPath expression when making HTTP
            requests**


        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        submitted_by (None | str | Unset): Filter runs by the user who submitted them. Use the
            special value `me` to return only runs submitted by the current user.
        organization_id (None | str | Unset): Filter runs by the organization of the submitter.
            Use the special value `my_org` to filter by the current user's organization.
        for_organization (None | str | Unset): Filter runs by organization ID. Available for
            superadmins (any org) and admins (own org only). When provided, returns all runs for the
            specified organization instead of only the caller's own runs.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

            **Available fields:**
            - `run_id`
            - `application_id`
            - `version_number`
            - `custom_metadata`
            - `submitted_at`
            - `submitted_by`
            - `terminated_at`
            - `termination_reason`

            **Examples:**
            - `?sort=submitted_at` - Sort by creation time (ascending)
            - `?sort=-submitted_at` - Sort by creation time (descending)
            - `?sort=state&sort=-submitted_at` - Sort by state, then by time (descending)

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
        external_id=external_id,
        custom_metadata=custom_metadata,
        page=page,
        page_size=page_size,
        submitted_by=submitted_by,
        organization_id=organization_id,
        for_organization=for_organization,
        sort=sort,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    application_id: None | str | Unset = UNSET,
    application_version: None | str | Unset = UNSET,
    external_id: None | str | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    submitted_by: None | str | Unset = UNSET,
    organization_id: None | str | Unset = UNSET,
    for_organization: None | str | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> Response[Any | HTTPValidationError | list[RunReadResponse]]:
    """List Runs

     List runs with filtering, sorting, and pagination capabilities.

    Returns paginated runs that were submitted by the user.

    Args:
        application_id (None | str | Unset): Optional application ID filter
        application_version (None | str | Unset): Optional Version Name
        external_id (None | str | Unset): Optionally filter runs by items with this external ID
        custom_metadata (None | str | Unset): Use PostgreSQL JSONPath expressions to filter runs
            by their custom_metadata.
            #### URL Encoding Required
            **Important**: JSONPath expressions contain special characters that must be URL-encoded
            when used in query parameters. Most HTTP clients handle this automatically, but when
            constructing URLs manually, please ensure proper encoding.

            #### Examples (Clear Format):
            - **Field existence**: `$.study` - Runs that have a study field defined
            - **Exact value match**: `$.study ? (@ == "high")` - Runs with specific study value
            - **Numeric comparison**: `$.confidence_score ? (@ > 0.75)` - Runs with confidence score
            greater than 0.75
            - **Array operations**: `$.tags[*] ? (@ == "draft")` - Runs with tags array containing
            "draft"
            - **Complex conditions**: `$.resources ? (@.gpu_count > 2 && @.memory_gb >= 16)` - Runs
            with high resource requirements

            #### Examples (URL-Encoded Format):
            - **Field existence**: `%24.study`
            - **Exact value match**: `%24.study%20%3F%20(%40%20%3D%3D%20%22high%22)`
            - **Numeric comparison**: `%24.confidence_score%20%3F%20(%40%20%3E%200.75)`
            - **Array operations**: `%24.tags%5B*%5D%20%3F%20(%40%20%3D%3D%20%22draft%22)`
            - **Complex conditions**:
            `%24.resources%20%3F%20(%40.gpu_count%20%3E%202%20%26%26%20%40.memory_gb%20%3E%3D%2016)`

            #### Notes
            - JSONPath expressions are evaluated using PostgreSQL's `@?` operator
            - The `$.` prefix is automatically added to root-level field references if missing
            - String values in conditions must be enclosed in double quotes
            - Use `&&` for AND operations and `||` for OR operations
            - Regular expressions use `like_regex` with standard regex syntax
            - **Please remember to URL-encode the entire JSONPath expression when making HTTP
            requests**


        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        submitted_by (None | str | Unset): Filter runs by the user who submitted them. Use the
            special value `me` to return only runs submitted by the current user.
        organization_id (None | str | Unset): Filter runs by the organization of the submitter.
            Use the special value `my_org` to filter by the current user's organization.
        for_organization (None | str | Unset): Filter runs by organization ID. Available for
            superadmins (any org) and admins (own org only). When provided, returns all runs for the
            specified organization instead of only the caller's own runs.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

            **Available fields:**
            - `run_id`
            - `application_id`
            - `version_number`
            - `custom_metadata`
            - `submitted_at`
            - `submitted_by`
            - `terminated_at`
            - `termination_reason`

            **Examples:**
            - `?sort=submitted_at` - Sort by creation time (ascending)
            - `?sort=-submitted_at` - Sort by creation time (descending)
            - `?sort=state&sort=-submitted_at` - Sort by state, then by time (descending)

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | list[RunReadResponse]]
    """

    kwargs = _get_kwargs(
        application_id=application_id,
        application_version=application_version,
        external_id=external_id,
        custom_metadata=custom_metadata,
        page=page,
        page_size=page_size,
        submitted_by=submitted_by,
        organization_id=organization_id,
        for_organization=for_organization,
        sort=sort,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    application_id: None | str | Unset = UNSET,
    application_version: None | str | Unset = UNSET,
    external_id: None | str | Unset = UNSET,
    custom_metadata: None | str | Unset = UNSET,
    page: int | Unset = 1,
    page_size: int | Unset = 50,
    submitted_by: None | str | Unset = UNSET,
    organization_id: None | str | Unset = UNSET,
    for_organization: None | str | Unset = UNSET,
    sort: list[str] | None | Unset = UNSET,
) -> Any | HTTPValidationError | list[RunReadResponse] | None:
    """List Runs

     List runs with filtering, sorting, and pagination capabilities.

    Returns paginated runs that were submitted by the user.

    Args:
        application_id (None | str | Unset): Optional application ID filter
        application_version (None | str | Unset): Optional Version Name
        external_id (None | str | Unset): Optionally filter runs by items with this external ID
        custom_metadata (None | str | Unset): Use PostgreSQL JSONPath expressions to filter runs
            by their custom_metadata.
            #### URL Encoding Required
            **Important**: JSONPath expressions contain special characters that must be URL-encoded
            when used in query parameters. Most HTTP clients handle this automatically, but when
            constructing URLs manually, please ensure proper encoding.

            #### Examples (Clear Format):
            - **Field existence**: `$.study` - Runs that have a study field defined
            - **Exact value match**: `$.study ? (@ == "high")` - Runs with specific study value
            - **Numeric comparison**: `$.confidence_score ? (@ > 0.75)` - Runs with confidence score
            greater than 0.75
            - **Array operations**: `$.tags[*] ? (@ == "draft")` - Runs with tags array containing
            "draft"
            - **Complex conditions**: `$.resources ? (@.gpu_count > 2 && @.memory_gb >= 16)` - Runs
            with high resource requirements

            #### Examples (URL-Encoded Format):
            - **Field existence**: `%24.study`
            - **Exact value match**: `%24.study%20%3F%20(%40%20%3D%3D%20%22high%22)`
            - **Numeric comparison**: `%24.confidence_score%20%3F%20(%40%20%3E%200.75)`
            - **Array operations**: `%24.tags%5B*%5D%20%3F%20(%40%20%3D%3D%20%22draft%22)`
            - **Complex conditions**:
            `%24.resources%20%3F%20(%40.gpu_count%20%3E%202%20%26%26%20%40.memory_gb%20%3E%3D%2016)`

            #### Notes
            - JSONPath expressions are evaluated using PostgreSQL's `@?` operator
            - The `$.` prefix is automatically added to root-level field references if missing
            - String values in conditions must be enclosed in double quotes
            - Use `&&` for AND operations and `||` for OR operations
            - Regular expressions use `like_regex` with standard regex syntax
            - **Please remember to URL-encode the entire JSONPath expression when making HTTP
            requests**


        page (int | Unset):  Default: 1.
        page_size (int | Unset):  Default: 50.
        submitted_by (None | str | Unset): Filter runs by the user who submitted them. Use the
            special value `me` to return only runs submitted by the current user.
        organization_id (None | str | Unset): Filter runs by the organization of the submitter.
            Use the special value `my_org` to filter by the current user's organization.
        for_organization (None | str | Unset): Filter runs by organization ID. Available for
            superadmins (any org) and admins (own org only). When provided, returns all runs for the
            specified organization instead of only the caller's own runs.
        sort (list[str] | None | Unset): Sort the results by one or more fields. Use `+` for
            ascending and `-` for descending order.

            **Available fields:**
            - `run_id`
            - `application_id`
            - `version_number`
            - `custom_metadata`
            - `submitted_at`
            - `submitted_by`
            - `terminated_at`
            - `termination_reason`

            **Examples:**
            - `?sort=submitted_at` - Sort by creation time (ascending)
            - `?sort=-submitted_at` - Sort by creation time (descending)
            - `?sort=state&sort=-submitted_at` - Sort by state, then by time (descending)

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
            external_id=external_id,
            custom_metadata=custom_metadata,
            page=page,
            page_size=page_size,
            submitted_by=submitted_by,
            organization_id=organization_id,
            for_organization=for_organization,
            sort=sort,
        )
    ).parsed
