from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...types import Response


def _get_kwargs(
    application_id: str,
    version: str,
    name: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/applications/{application_id}/versions/{version}/documents/{name}/file".format(
            application_id=quote(str(application_id), safe=""),
            version=quote(str(version), safe=""),
            name=quote(str(name), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | None:
    if response.status_code == 307:
        response_307 = cast(Any, None)
        return response_307

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
) -> Response[Any | HTTPValidationError]:
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
) -> Response[Any | HTTPValidationError]:
    """Download version document (browser)

     307 redirect to a short-lived GCS signed URL for downloading a document.

    The signed URL includes ``response-content-disposition=attachment; filename="<name>"``
    so browsers prompt a save-as dialog rather than rendering inline.
    Response carries ``Cache-Control: no-store``.

    Args:
        application_id (str):
        version (str):
        name (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError]
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
) -> Any | HTTPValidationError | None:
    """Download version document (browser)

     307 redirect to a short-lived GCS signed URL for downloading a document.

    The signed URL includes ``response-content-disposition=attachment; filename="<name>"``
    so browsers prompt a save-as dialog rather than rendering inline.
    Response carries ``Cache-Control: no-store``.

    Args:
        application_id (str):
        version (str):
        name (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError
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
) -> Response[Any | HTTPValidationError]:
    """Download version document (browser)

     307 redirect to a short-lived GCS signed URL for downloading a document.

    The signed URL includes ``response-content-disposition=attachment; filename="<name>"``
    so browsers prompt a save-as dialog rather than rendering inline.
    Response carries ``Cache-Control: no-store``.

    Args:
        application_id (str):
        version (str):
        name (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError]
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
) -> Any | HTTPValidationError | None:
    """Download version document (browser)

     307 redirect to a short-lived GCS signed URL for downloading a document.

    The signed URL includes ``response-content-disposition=attachment; filename="<name>"``
    so browsers prompt a save-as dialog rather than rendering inline.
    Response carries ``Cache-Control: no-store``.

    Args:
        application_id (str):
        version (str):
        name (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError
    """

    return (
        await asyncio_detailed(
            application_id=application_id,
            version=version,
            name=name,
            client=client,
        )
    ).parsed
