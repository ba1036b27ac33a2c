from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.version_document_response import VersionDocumentResponse
from ...types import Response


def _get_kwargs(
    application_id: str,
    version: str,
    name: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/applications/{application_id}/versions/{version}/documents/{name}".format(
            application_id=quote(str(application_id), safe=""),
            version=quote(str(version), safe=""),
            name=quote(str(name), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | VersionDocumentResponse | None:
    if response.status_code == 200:
        response_200 = VersionDocumentResponse.from_dict(response.json())

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
) -> Response[Any | HTTPValidationError | VersionDocumentResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    application_id: str,
    version: str,
    name: str,
    *,
    client: AuthenticatedClient,
) -> Response[Any | HTTPValidationError | VersionDocumentResponse]:
    """Get version document metadata

     Return metadata for a single public document attached to an application version.

    Args:
        application_id (str):
        version (str):
        name (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | VersionDocumentResponse]
    """

    kwargs = _get_kwargs(
        application_id=application_id,
        version=version,
        name=name,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    application_id: str,
    version: str,
    name: str,
    *,
    client: AuthenticatedClient,
) -> Any | HTTPValidationError | VersionDocumentResponse | None:
    """Get version document metadata

     Return metadata for a single public document attached to an application version.

    Args:
        application_id (str):
        version (str):
        name (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | VersionDocumentResponse
    """

    return sync_detailed(
        application_id=application_id,
        version=version,
        name=name,
        client=client,
    ).parsed


async def asyncio_detailed(
    application_id: str,
    version: str,
    name: str,
    *,
    client: AuthenticatedClient,
) -> Response[Any | HTTPValidationError | VersionDocumentResponse]:
    """Get version document metadata

     Return metadata for a single public document attached to an application version.

    Args:
        application_id (str):
        version (str):
        name (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | VersionDocumentResponse]
    """

    kwargs = _get_kwargs(
        application_id=application_id,
        version=version,
        name=name,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    application_id: str,
    version: str,
    name: str,
    *,
    client: AuthenticatedClient,
) -> Any | HTTPValidationError | VersionDocumentResponse | None:
    """Get version document metadata

     Return metadata for a single public document attached to an application version.

    Args:
        application_id (str):
        version (str):
        name (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | VersionDocumentResponse
    """

    return (
        await asyncio_detailed(
            application_id=application_id,
            version=version,
            name=name,
            client=client,
        )
    ).parsed
