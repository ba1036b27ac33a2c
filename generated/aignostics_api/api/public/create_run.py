from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.http_validation_error import HTTPValidationError
from ...models.run_creation_request import RunCreationRequest
from ...models.run_creation_response import RunCreationResponse
from ...types import Response


def _get_kwargs(
    *,
    body: RunCreationRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/runs",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | HTTPValidationError | RunCreationResponse | None:
    if response.status_code == 201:
        response_201 = RunCreationResponse.from_dict(response.json())

        return response_201

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
) -> Response[Any | HTTPValidationError | RunCreationResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: RunCreationRequest,
) -> Response[Any | HTTPValidationError | RunCreationResponse]:
    """Create Application Run

     The endpoint is used to process the input items by the chosen application version. The endpoint
    returns the `application_run_id`. The processing fo the items is done asynchronously.

    To check the status or cancel the execution, use the /v1/runs/{application_run_id} endpoint.

    ### Payload

    The payload includes `application_version_id` and `items` base fields.

    `application_version_id` is the id used for `/v1/versions/{application_id}` endpoint.

    `items` includes the list of the items to process (slides, in case of HETA application).
    Every item has a set of standard fields defined by the API, plus the metadata, specific to the
    chosen application.

    Example payload structure with the comments:
    ```
    {
        application_version_id: "test-app:v0.0.2",
        items: [{
            "reference": "slide_1",  <-- Input ID to connect the input and the output artifact
            "input_artifacts": [{
                "name": "input_slide",  <-- Name of the artifact defined by the application (For HETA it
    is"input_slide")
                "download_url": "https://...", <-- signed URL to the input file in the S3 or GCS. Should
    be valid for more than 6 days
                "metadata": { <-- The metadata fields defined by the application. (The example fields
    set for a slide files are provided)
                    "checksum_base64_crc32c": "abc12==",
                    "mime_type": "image/tiff",
                    "height": 100,
                    "weight": 500,
                    "mpp": 0.543
                }
            }]
        }]
    }
    ```

    ### Response

    The endpoint returns the application run UUID. After that the job is scheduled for the execution in
    the background.

    To check the status of the run call `v1/runs/{application_run_id}`.

    ### Rejection

    Apart from the authentication, authorization and malformed input error, the request can be
    rejected when the quota limit is exceeded. More details on quotas is described in the
    documentation

    Args:
        body (RunCreationRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | RunCreationResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: RunCreationRequest,
) -> Any | HTTPValidationError | RunCreationResponse | None:
    """Create Application Run

     The endpoint is used to process the input items by the chosen application version. The endpoint
    returns the `application_run_id`. The processing fo the items is done asynchronously.

    To check the status or cancel the execution, use the /v1/runs/{application_run_id} endpoint.

    ### Payload

    The payload includes `application_version_id` and `items` base fields.

    `application_version_id` is the id used for `/v1/versions/{application_id}` endpoint.

    `items` includes the list of the items to process (slides, in case of HETA application).
    Every item has a set of standard fields defined by the API, plus the metadata, specific to the
    chosen application.

    Example payload structure with the comments:
    ```
    {
        application_version_id: "test-app:v0.0.2",
        items: [{
            "reference": "slide_1",  <-- Input ID to connect the input and the output artifact
            "input_artifacts": [{
                "name": "input_slide",  <-- Name of the artifact defined by the application (For HETA it
    is"input_slide")
                "download_url": "https://...", <-- signed URL to the input file in the S3 or GCS. Should
    be valid for more than 6 days
                "metadata": { <-- The metadata fields defined by the application. (The example fields
    set for a slide files are provided)
                    "checksum_base64_crc32c": "abc12==",
                    "mime_type": "image/tiff",
                    "height": 100,
                    "weight": 500,
                    "mpp": 0.543
                }
            }]
        }]
    }
    ```

    ### Response

    The endpoint returns the application run UUID. After that the job is scheduled for the execution in
    the background.

    To check the status of the run call `v1/runs/{application_run_id}`.

    ### Rejection

    Apart from the authentication, authorization and malformed input error, the request can be
    rejected when the quota limit is exceeded. More details on quotas is described in the
    documentation

    Args:
        body (RunCreationRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | RunCreationResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: RunCreationRequest,
) -> Response[Any | HTTPValidationError | RunCreationResponse]:
    """Create Application Run

     The endpoint is used to process the input items by the chosen application version. The endpoint
    returns the `application_run_id`. The processing fo the items is done asynchronously.

    To check the status or cancel the execution, use the /v1/runs/{application_run_id} endpoint.

    ### Payload

    The payload includes `application_version_id` and `items` base fields.

    `application_version_id` is the id used for `/v1/versions/{application_id}` endpoint.

    `items` includes the list of the items to process (slides, in case of HETA application).
    Every item has a set of standard fields defined by the API, plus the metadata, specific to the
    chosen application.

    Example payload structure with the comments:
    ```
    {
        application_version_id: "test-app:v0.0.2",
        items: [{
            "reference": "slide_1",  <-- Input ID to connect the input and the output artifact
            "input_artifacts": [{
                "name": "input_slide",  <-- Name of the artifact defined by the application (For HETA it
    is"input_slide")
                "download_url": "https://...", <-- signed URL to the input file in the S3 or GCS. Should
    be valid for more than 6 days
                "metadata": { <-- The metadata fields defined by the application. (The example fields
    set for a slide files are provided)
                    "checksum_base64_crc32c": "abc12==",
                    "mime_type": "image/tiff",
                    "height": 100,
                    "weight": 500,
                    "mpp": 0.543
                }
            }]
        }]
    }
    ```

    ### Response

    The endpoint returns the application run UUID. After that the job is scheduled for the execution in
    the background.

    To check the status of the run call `v1/runs/{application_run_id}`.

    ### Rejection

    Apart from the authentication, authorization and malformed input error, the request can be
    rejected when the quota limit is exceeded. More details on quotas is described in the
    documentation

    Args:
        body (RunCreationRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | HTTPValidationError | RunCreationResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: RunCreationRequest,
) -> Any | HTTPValidationError | RunCreationResponse | None:
    """Create Application Run

     The endpoint is used to process the input items by the chosen application version. The endpoint
    returns the `application_run_id`. The processing fo the items is done asynchronously.

    To check the status or cancel the execution, use the /v1/runs/{application_run_id} endpoint.

    ### Payload

    The payload includes `application_version_id` and `items` base fields.

    `application_version_id` is the id used for `/v1/versions/{application_id}` endpoint.

    `items` includes the list of the items to process (slides, in case of HETA application).
    Every item has a set of standard fields defined by the API, plus the metadata, specific to the
    chosen application.

    Example payload structure with the comments:
    ```
    {
        application_version_id: "test-app:v0.0.2",
        items: [{
            "reference": "slide_1",  <-- Input ID to connect the input and the output artifact
            "input_artifacts": [{
                "name": "input_slide",  <-- Name of the artifact defined by the application (For HETA it
    is"input_slide")
                "download_url": "https://...", <-- signed URL to the input file in the S3 or GCS. Should
    be valid for more than 6 days
                "metadata": { <-- The metadata fields defined by the application. (The example fields
    set for a slide files are provided)
                    "checksum_base64_crc32c": "abc12==",
                    "mime_type": "image/tiff",
                    "height": 100,
                    "weight": 500,
                    "mpp": 0.543
                }
            }]
        }]
    }
    ```

    ### Response

    The endpoint returns the application run UUID. After that the job is scheduled for the execution in
    the background.

    To check the status of the run call `v1/runs/{application_run_id}`.

    ### Rejection

    Apart from the authentication, authorization and malformed input error, the request can be
    rejected when the quota limit is exceeded. More details on quotas is described in the
    documentation

    Args:
        body (RunCreationRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | HTTPValidationError | RunCreationResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
