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

    if response.status_code == 400:
        response_400 = cast(Any, None)
        return response_400

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
    """Initiate Run

     This endpoint initiates a processing run for a selected application and version, and returns a
    `run_id` for tracking purposes.

    Slide processing occurs asynchronously, allowing you to retrieve results for individual slides as
    soon as they
    complete processing. The system typically processes slides in batches.
    Below is an example of the required payload for initiating an Atlas H&E TME processing run.


    ### Payload

    The payload includes `application_id`, optional `version_number`, and `items` base fields.

    `application_id` is the unique identifier for the application.
    `version_number` is the semantic version to use. If not provided, the latest available version will
    be used.

    `items` includes the list of the items to process (slides, in case of HETA application).
    Every item has a set of standard fields defined by the API, plus the custom_metadata, specific to
    the
    chosen application.

    Example payload structure with the comments:
    ```
    {
        application_id: "he-tme",
        version_number: "1.0.0-beta",
        items: [{
            "external_id": "slide_1",
            "custom_metadata": {"project": "sample-study"},
            "input_artifacts": [{
                "name": "user_slide",
                "download_url": "https://...",
                "metadata": {
                    "specimen": {
                      "disease": "LUNG_CANCER",
                      "tissue": "LUNG"
                    },
                    "staining_method": "H&E",
                    "width_px": 136223,
                    "height_px": 87761,
                    "resolution_mpp": 0.2628238,
                    "media-type":"image/tiff",
                    "checksum_base64_crc32c": "64RKKA=="
                }
            }]
        }]
    }
    ```

    | Parameter  | Description |
    | :---- | :---- |
    | `application_id` required | Unique ID for the application |
    | `version_number` optional | Semantic version of the application. If not provided, the latest
    available version will be used |
    | `items` required | List of submitted items i.e. whole slide images (WSIs) with parameters
    described below. |
    | `external_id` required | Unique WSI name or ID for easy reference to items, provided by the
    caller. The `external_id` should be unique across all items of the run.  |
    | `input_artifacts` required | List of provided artifacts for a WSI; at the moment Atlas H&E-TME
    receives only 1 artifact per slide (the slide itself), but for some other applications this can be a
    slide and a segmentation map  |
    | `name` required | Type of artifact; Atlas H&E-TME supports only `"input_slide"` |
    | `download_url` required | Signed URL to the input file in the S3 or GCS; Should be valid for at
    least 6 days |
    | `specimen: disease` required | Supported cancer types for Atlas H&E-TME (see full list in Atlas
    H&E-TME manual) |
    | `specimen: tissue` required | Supported tissue types for Atlas H&E-TME (see full list in Atlas
    H&E-TME manual) |
    | `staining_method` required | WSI stain bio-marker; Atlas H&E-TME supports only `"H&E"` |
    | `width_px` required | Integer value. Number of pixels of the WSI in the X dimension. |
    | `height_px` required | Integer value. Number of pixels of the WSI in the Y dimension. |
    | `resolution_mpp` required | Resolution of WSI in micrometers per pixel; check allowed range in
    Atlas H&E-TME manual |
    | `media-type` required | Supported media formats; available values are: image/tiff  (for .tiff or
    .tif WSI), application/dicom (for DICOM ), application/zip (for zipped DICOM), and
    application/octet-stream  (for .svs WSI) |
    | `checksum_base64_crc32c` required | Base64-encoded big-endian CRC32C checksum of the WSI image |



    ### Response

    The endpoint returns the run UUID. After that, the job is scheduled for the execution in the
    background.

    To check the status of the run, call `GET v1/runs/{run_id}` endpoint with the returned run UUID.

    ### Rejection

    Apart from the authentication, authorization, and malformed input error, the request can be
    rejected when specific quota limit is exceeded. More details on quotas is described in the
    documentation

    Args:
        body (RunCreationRequest): Request schema for `Initiate Run` endpoint.
            It describes which application version is chosen, and which user data should be processed.

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
    """Initiate Run

     This endpoint initiates a processing run for a selected application and version, and returns a
    `run_id` for tracking purposes.

    Slide processing occurs asynchronously, allowing you to retrieve results for individual slides as
    soon as they
    complete processing. The system typically processes slides in batches.
    Below is an example of the required payload for initiating an Atlas H&E TME processing run.


    ### Payload

    The payload includes `application_id`, optional `version_number`, and `items` base fields.

    `application_id` is the unique identifier for the application.
    `version_number` is the semantic version to use. If not provided, the latest available version will
    be used.

    `items` includes the list of the items to process (slides, in case of HETA application).
    Every item has a set of standard fields defined by the API, plus the custom_metadata, specific to
    the
    chosen application.

    Example payload structure with the comments:
    ```
    {
        application_id: "he-tme",
        version_number: "1.0.0-beta",
        items: [{
            "external_id": "slide_1",
            "custom_metadata": {"project": "sample-study"},
            "input_artifacts": [{
                "name": "user_slide",
                "download_url": "https://...",
                "metadata": {
                    "specimen": {
                      "disease": "LUNG_CANCER",
                      "tissue": "LUNG"
                    },
                    "staining_method": "H&E",
                    "width_px": 136223,
                    "height_px": 87761,
                    "resolution_mpp": 0.2628238,
                    "media-type":"image/tiff",
                    "checksum_base64_crc32c": "64RKKA=="
                }
            }]
        }]
    }
    ```

    | Parameter  | Description |
    | :---- | :---- |
    | `application_id` required | Unique ID for the application |
    | `version_number` optional | Semantic version of the application. If not provided, the latest
    available version will be used |
    | `items` required | List of submitted items i.e. whole slide images (WSIs) with parameters
    described below. |
    | `external_id` required | Unique WSI name or ID for easy reference to items, provided by the
    caller. The `external_id` should be unique across all items of the run.  |
    | `input_artifacts` required | List of provided artifacts for a WSI; at the moment Atlas H&E-TME
    receives only 1 artifact per slide (the slide itself), but for some other applications this can be a
    slide and a segmentation map  |
    | `name` required | Type of artifact; Atlas H&E-TME supports only `"input_slide"` |
    | `download_url` required | Signed URL to the input file in the S3 or GCS; Should be valid for at
    least 6 days |
    | `specimen: disease` required | Supported cancer types for Atlas H&E-TME (see full list in Atlas
    H&E-TME manual) |
    | `specimen: tissue` required | Supported tissue types for Atlas H&E-TME (see full list in Atlas
    H&E-TME manual) |
    | `staining_method` required | WSI stain bio-marker; Atlas H&E-TME supports only `"H&E"` |
    | `width_px` required | Integer value. Number of pixels of the WSI in the X dimension. |
    | `height_px` required | Integer value. Number of pixels of the WSI in the Y dimension. |
    | `resolution_mpp` required | Resolution of WSI in micrometers per pixel; check allowed range in
    Atlas H&E-TME manual |
    | `media-type` required | Supported media formats; available values are: image/tiff  (for .tiff or
    .tif WSI), application/dicom (for DICOM ), application/zip (for zipped DICOM), and
    application/octet-stream  (for .svs WSI) |
    | `checksum_base64_crc32c` required | Base64-encoded big-endian CRC32C checksum of the WSI image |



    ### Response

    The endpoint returns the run UUID. After that, the job is scheduled for the execution in the
    background.

    To check the status of the run, call `GET v1/runs/{run_id}` endpoint with the returned run UUID.

    ### Rejection

    Apart from the authentication, authorization, and malformed input error, the request can be
    rejected when specific quota limit is exceeded. More details on quotas is described in the
    documentation

    Args:
        body (RunCreationRequest): Request schema for `Initiate Run` endpoint.
            It describes which application version is chosen, and which user data should be processed.

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
    """Initiate Run

     This endpoint initiates a processing run for a selected application and version, and returns a
    `run_id` for tracking purposes.

    Slide processing occurs asynchronously, allowing you to retrieve results for individual slides as
    soon as they
    complete processing. The system typically processes slides in batches.
    Below is an example of the required payload for initiating an Atlas H&E TME processing run.


    ### Payload

    The payload includes `application_id`, optional `version_number`, and `items` base fields.

    `application_id` is the unique identifier for the application.
    `version_number` is the semantic version to use. If not provided, the latest available version will
    be used.

    `items` includes the list of the items to process (slides, in case of HETA application).
    Every item has a set of standard fields defined by the API, plus the custom_metadata, specific to
    the
    chosen application.

    Example payload structure with the comments:
    ```
    {
        application_id: "he-tme",
        version_number: "1.0.0-beta",
        items: [{
            "external_id": "slide_1",
            "custom_metadata": {"project": "sample-study"},
            "input_artifacts": [{
                "name": "user_slide",
                "download_url": "https://...",
                "metadata": {
                    "specimen": {
                      "disease": "LUNG_CANCER",
                      "tissue": "LUNG"
                    },
                    "staining_method": "H&E",
                    "width_px": 136223,
                    "height_px": 87761,
                    "resolution_mpp": 0.2628238,
                    "media-type":"image/tiff",
                    "checksum_base64_crc32c": "64RKKA=="
                }
            }]
        }]
    }
    ```

    | Parameter  | Description |
    | :---- | :---- |
    | `application_id` required | Unique ID for the application |
    | `version_number` optional | Semantic version of the application. If not provided, the latest
    available version will be used |
    | `items` required | List of submitted items i.e. whole slide images (WSIs) with parameters
    described below. |
    | `external_id` required | Unique WSI name or ID for easy reference to items, provided by the
    caller. The `external_id` should be unique across all items of the run.  |
    | `input_artifacts` required | List of provided artifacts for a WSI; at the moment Atlas H&E-TME
    receives only 1 artifact per slide (the slide itself), but for some other applications this can be a
    slide and a segmentation map  |
    | `name` required | Type of artifact; Atlas H&E-TME supports only `"input_slide"` |
    | `download_url` required | Signed URL to the input file in the S3 or GCS; Should be valid for at
    least 6 days |
    | `specimen: disease` required | Supported cancer types for Atlas H&E-TME (see full list in Atlas
    H&E-TME manual) |
    | `specimen: tissue` required | Supported tissue types for Atlas H&E-TME (see full list in Atlas
    H&E-TME manual) |
    | `staining_method` required | WSI stain bio-marker; Atlas H&E-TME supports only `"H&E"` |
    | `width_px` required | Integer value. Number of pixels of the WSI in the X dimension. |
    | `height_px` required | Integer value. Number of pixels of the WSI in the Y dimension. |
    | `resolution_mpp` required | Resolution of WSI in micrometers per pixel; check allowed range in
    Atlas H&E-TME manual |
    | `media-type` required | Supported media formats; available values are: image/tiff  (for .tiff or
    .tif WSI), application/dicom (for DICOM ), application/zip (for zipped DICOM), and
    application/octet-stream  (for .svs WSI) |
    | `checksum_base64_crc32c` required | Base64-encoded big-endian CRC32C checksum of the WSI image |



    ### Response

    The endpoint returns the run UUID. After that, the job is scheduled for the execution in the
    background.

    To check the status of the run, call `GET v1/runs/{run_id}` endpoint with the returned run UUID.

    ### Rejection

    Apart from the authentication, authorization, and malformed input error, the request can be
    rejected when specific quota limit is exceeded. More details on quotas is described in the
    documentation

    Args:
        body (RunCreationRequest): Request schema for `Initiate Run` endpoint.
            It describes which application version is chosen, and which user data should be processed.

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
    """Initiate Run

     This endpoint initiates a processing run for a selected application and version, and returns a
    `run_id` for tracking purposes.

    Slide processing occurs asynchronously, allowing you to retrieve results for individual slides as
    soon as they
    complete processing. The system typically processes slides in batches.
    Below is an example of the required payload for initiating an Atlas H&E TME processing run.


    ### Payload

    The payload includes `application_id`, optional `version_number`, and `items` base fields.

    `application_id` is the unique identifier for the application.
    `version_number` is the semantic version to use. If not provided, the latest available version will
    be used.

    `items` includes the list of the items to process (slides, in case of HETA application).
    Every item has a set of standard fields defined by the API, plus the custom_metadata, specific to
    the
    chosen application.

    Example payload structure with the comments:
    ```
    {
        application_id: "he-tme",
        version_number: "1.0.0-beta",
        items: [{
            "external_id": "slide_1",
            "custom_metadata": {"project": "sample-study"},
            "input_artifacts": [{
                "name": "user_slide",
                "download_url": "https://...",
                "metadata": {
                    "specimen": {
                      "disease": "LUNG_CANCER",
                      "tissue": "LUNG"
                    },
                    "staining_method": "H&E",
                    "width_px": 136223,
                    "height_px": 87761,
                    "resolution_mpp": 0.2628238,
                    "media-type":"image/tiff",
                    "checksum_base64_crc32c": "64RKKA=="
                }
            }]
        }]
    }
    ```

    | Parameter  | Description |
    | :---- | :---- |
    | `application_id` required | Unique ID for the application |
    | `version_number` optional | Semantic version of the application. If not provided, the latest
    available version will be used |
    | `items` required | List of submitted items i.e. whole slide images (WSIs) with parameters
    described below. |
    | `external_id` required | Unique WSI name or ID for easy reference to items, provided by the
    caller. The `external_id` should be unique across all items of the run.  |
    | `input_artifacts` required | List of provided artifacts for a WSI; at the moment Atlas H&E-TME
    receives only 1 artifact per slide (the slide itself), but for some other applications this can be a
    slide and a segmentation map  |
    | `name` required | Type of artifact; Atlas H&E-TME supports only `"input_slide"` |
    | `download_url` required | Signed URL to the input file in the S3 or GCS; Should be valid for at
    least 6 days |
    | `specimen: disease` required | Supported cancer types for Atlas H&E-TME (see full list in Atlas
    H&E-TME manual) |
    | `specimen: tissue` required | Supported tissue types for Atlas H&E-TME (see full list in Atlas
    H&E-TME manual) |
    | `staining_method` required | WSI stain bio-marker; Atlas H&E-TME supports only `"H&E"` |
    | `width_px` required | Integer value. Number of pixels of the WSI in the X dimension. |
    | `height_px` required | Integer value. Number of pixels of the WSI in the Y dimension. |
    | `resolution_mpp` required | Resolution of WSI in micrometers per pixel; check allowed range in
    Atlas H&E-TME manual |
    | `media-type` required | Supported media formats; available values are: image/tiff  (for .tiff or
    .tif WSI), application/dicom (for DICOM ), application/zip (for zipped DICOM), and
    application/octet-stream  (for .svs WSI) |
    | `checksum_base64_crc32c` required | Base64-encoded big-endian CRC32C checksum of the WSI image |



    ### Response

    The endpoint returns the run UUID. After that, the job is scheduled for the execution in the
    background.

    To check the status of the run, call `GET v1/runs/{run_id}` endpoint with the returned run UUID.

    ### Rejection

    Apart from the authentication, authorization, and malformed input error, the request can be
    rejected when specific quota limit is exceeded. More details on quotas is described in the
    documentation

    Args:
        body (RunCreationRequest): Request schema for `Initiate Run` endpoint.
            It describes which application version is chosen, and which user data should be processed.

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
