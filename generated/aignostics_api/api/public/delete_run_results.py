from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...types import Response


def _get_kwargs(
    application_run_id: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/runs/{application_run_id}/results".format(
            application_run_id=quote(str(application_run_id), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | None:
    if response.status_code == 204:
        response_204 = cast(Any, None)
        return response_204

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
    application_run_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[Any | HTTPValidationError]:
    """Delete Application Run Results

     Delete the application run results. It can only be called when the application is in a final
    state (meaning it's not in `received` or `pending` states). To delete the results of the running
    artifacts, first call `POST /v1/runs/{application_run_id}/cancel` to cancel the application run.

    The output results are deleted automatically 30 days after the application run is finished.

    Args:
        application_run_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError]
    """

    kwargs = _get_kwargs(
        application_run_id=application_run_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
) -> Any | HTTPValidationError | None:
    """Delete Application Run Results

     Delete the application run results. It can only be called when the application is in a final
    state (meaning it's not in `received` or `pending` states). To delete the results of the running
    artifacts, first call `POST /v1/runs/{application_run_id}/cancel` to cancel the application run.

    The output results are deleted automatically 30 days after the application run is finished.

    Args:
        application_run_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError
    """

    return sync_detailed(
        application_run_id=application_run_id,
        client=client,
    ).parsed


async def asyncio_detailed(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
) -> Response[Any | HTTPValidationError]:
    """Delete Application Run Results

     Delete the application run results. It can only be called when the application is in a final
    state (meaning it's not in `received` or `pending` states). To delete the results of the running
    artifacts, first call `POST /v1/runs/{application_run_id}/cancel` to cancel the application run.

    The output results are deleted automatically 30 days after the application run is finished.

    Args:
        application_run_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError]
    """

    kwargs = _get_kwargs(
        application_run_id=application_run_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    application_run_id: str,
    *,
    client: AuthenticatedClient,
) -> Any | HTTPValidationError | None:
    """Delete Application Run Results

     Delete the application run results. It can only be called when the application is in a final
    state (meaning it's not in `received` or `pending` states). To delete the results of the running
    artifacts, first call `POST /v1/runs/{application_run_id}/cancel` to cancel the application run.

    The output results are deleted automatically 30 days after the application run is finished.

    Args:
        application_run_id (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError
    """

    return (
        await asyncio_detailed(
            application_run_id=application_run_id,
            client=client,
        )
    ).parsed
