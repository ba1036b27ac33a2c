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

    if response.status_code == 402:
        response_402 = cast(Any, None)
        return response_402

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

    Item processing occurs asynchronously, allowing you to retrieve results for individual items as
    soon as they complete processing. The system typically processes items in batches.

    ### Payload

    The payload includes `application_id`, optional `version_number`, and `items` base fields.

    `application_id` is the unique identifier for the application.
    `version_number` is the semantic version to use. If not provided, the latest version available to
    you will be used.

    `items` includes the list of the items to process (slides, in case of the Atlas H&E-TME
    application). Every item has a set of standard fields defined by the API, plus
    `input_artifacts[].metadata`, whose shape is defined by the chosen application version.

    Below is an example payload for initiating an Atlas H&E-TME (`he-tme`) run:

    ```json
    {
      "application_id": "he-tme",
      "items": [
        {
          "external_id": "slide_1",
          "custom_metadata": {
            "case": "abc"
          },
          "input_artifacts": [
            {
              "name": "whole_slide_image",
              "download_url": "https://example-bucket.s3.amazonaws.com/slide1.tiff?signature=...",
              "metadata": {
                "checksum_base64_crc32c": "64RKKA==",
                "staining_method": "H&E",
                "specimen": {
                  "disease": "LUNG_CANCER",
                  "tissue": "LUNG"
                },
                "media_type": "image/tiff",
                "width_px": 136223,
                "height_px": 87761,
                "resolution_mpp": 0.2628238
              }
            }
          ]
        }
      ]
    }
    ```

    > **The example above is a snapshot, not a contract.** Applications are released independently of
    > this API, so the `input_artifacts[].metadata` shape shown here may lag behind the version you are
    > running. The authoritative schema for a version is always `input_artifacts[].metadata_schema`
    > from `GET /v1/applications/{application_id}/versions/{version}`. That schema rejects unknown
    > properties, so a stale field name will fail validation with `400`.

    | Parameter | Description |
    | :---- | :---- |
    | `application_id` **required** | Unique ID for the application |
    | `version_number` optional | Semantic version of the application. If not provided, the latest
    version available to you will be used |
    | `items` **required** | List of submitted items, i.e. whole slide images (WSIs), with the
    parameters described below |
    | `external_id` **required** | Unique WSI name or ID for easy reference to items, provided by the
    caller. Must be unique across all items of the run |
    | `custom_metadata` optional | Free-form JSON stored verbatim alongside the run or item. Not
    processed or validated by the platform, and not application-specific |
    | `input_artifacts` **required** | List of provided artifacts for a WSI. Atlas H&E-TME receives 1
    artifact per slide (the slide itself); other applications may take more, e.g. a slide plus a
    segmentation map |
    | `name` **required** | Name of the artifact as declared by the application version. Atlas H&E-TME
    accepts only `"whole_slide_image"` |
    | `download_url` **required** | Signed URL to the input file in S3 or GCS. Should be valid for at
    least 6 days |

    The remaining fields below live inside `input_artifacts[].metadata` and are governed by the
    application version's `metadata_schema`. The following applies to Atlas H&E-TME:

    | Metadata field | Description |
    | :---- | :---- |
    | `checksum_base64_crc32c` **required** | Base64-encoded big-endian CRC32C checksum of the WSI image
    |
    | `staining_method` **required** | WSI stain bio-marker; Atlas H&E-TME supports only `"H&E"` |
    | `specimen.disease` **required** | One of `BREAST_CANCER`, `LUNG_CANCER`, `COLORECTAL_CANCER`,
    `BLADDER_CANCER`, `LIVER_CANCER`, `PROSTATE_CANCER`, `PANCREATIC_CANCER`, `STOMACH_CANCER`,
    `OVARIAN_CANCER`, or `OTHER` |
    | `specimen.tissue` optional | Tissue of origin. Allowed values depend on `disease`; defaults to
    `OTHER` when omitted |
    | `media_type` optional | Media format of the WSI: `image/tiff` (.tiff/.tif), `application/dicom`
    (DICOM), `application/zip` (zipped DICOM), or `application/octet-stream` (.svs) |
    | `resolution_mpp` optional | Resolution of the WSI in micrometers per pixel |
    | `width_px` optional | Number of pixels of the WSI in the X dimension |
    | `height_px` optional | Number of pixels of the WSI in the Y dimension |

    ### Response

    The endpoint returns the run UUID. After that, the job is scheduled for execution in the
    background.

    To check the status of the run, call `GET /v1/runs/{run_id}` with the returned run UUID.

    ### Rejection

    Beyond authentication, authorization, and malformed-input errors, the request is rejected with
    `402 Payment Required` when a quota limit would be exceeded. See the quota documentation for
    details.

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

    Item processing occurs asynchronously, allowing you to retrieve results for individual items as
    soon as they complete processing. The system typically processes items in batches.

    ### Payload

    The payload includes `application_id`, optional `version_number`, and `items` base fields.

    `application_id` is the unique identifier for the application.
    `version_number` is the semantic version to use. If not provided, the latest version available to
    you will be used.

    `items` includes the list of the items to process (slides, in case of the Atlas H&E-TME
    application). Every item has a set of standard fields defined by the API, plus
    `input_artifacts[].metadata`, whose shape is defined by the chosen application version.

    Below is an example payload for initiating an Atlas H&E-TME (`he-tme`) run:

    ```json
    {
      "application_id": "he-tme",
      "items": [
        {
          "external_id": "slide_1",
          "custom_metadata": {
            "case": "abc"
          },
          "input_artifacts": [
            {
              "name": "whole_slide_image",
              "download_url": "https://example-bucket.s3.amazonaws.com/slide1.tiff?signature=...",
              "metadata": {
                "checksum_base64_crc32c": "64RKKA==",
                "staining_method": "H&E",
                "specimen": {
                  "disease": "LUNG_CANCER",
                  "tissue": "LUNG"
                },
                "media_type": "image/tiff",
                "width_px": 136223,
                "height_px": 87761,
                "resolution_mpp": 0.2628238
              }
            }
          ]
        }
      ]
    }
    ```

    > **The example above is a snapshot, not a contract.** Applications are released independently of
    > this API, so the `input_artifacts[].metadata` shape shown here may lag behind the version you are
    > running. The authoritative schema for a version is always `input_artifacts[].metadata_schema`
    > from `GET /v1/applications/{application_id}/versions/{version}`. That schema rejects unknown
    > properties, so a stale field name will fail validation with `400`.

    | Parameter | Description |
    | :---- | :---- |
    | `application_id` **required** | Unique ID for the application |
    | `version_number` optional | Semantic version of the application. If not provided, the latest
    version available to you will be used |
    | `items` **required** | List of submitted items, i.e. whole slide images (WSIs), with the
    parameters described below |
    | `external_id` **required** | Unique WSI name or ID for easy reference to items, provided by the
    caller. Must be unique across all items of the run |
    | `custom_metadata` optional | Free-form JSON stored verbatim alongside the run or item. Not
    processed or validated by the platform, and not application-specific |
    | `input_artifacts` **required** | List of provided artifacts for a WSI. Atlas H&E-TME receives 1
    artifact per slide (the slide itself); other applications may take more, e.g. a slide plus a
    segmentation map |
    | `name` **required** | Name of the artifact as declared by the application version. Atlas H&E-TME
    accepts only `"whole_slide_image"` |
    | `download_url` **required** | Signed URL to the input file in S3 or GCS. Should be valid for at
    least 6 days |

    The remaining fields below live inside `input_artifacts[].metadata` and are governed by the
    application version's `metadata_schema`. The following applies to Atlas H&E-TME:

    | Metadata field | Description |
    | :---- | :---- |
    | `checksum_base64_crc32c` **required** | Base64-encoded big-endian CRC32C checksum of the WSI image
    |
    | `staining_method` **required** | WSI stain bio-marker; Atlas H&E-TME supports only `"H&E"` |
    | `specimen.disease` **required** | One of `BREAST_CANCER`, `LUNG_CANCER`, `COLORECTAL_CANCER`,
    `BLADDER_CANCER`, `LIVER_CANCER`, `PROSTATE_CANCER`, `PANCREATIC_CANCER`, `STOMACH_CANCER`,
    `OVARIAN_CANCER`, or `OTHER` |
    | `specimen.tissue` optional | Tissue of origin. Allowed values depend on `disease`; defaults to
    `OTHER` when omitted |
    | `media_type` optional | Media format of the WSI: `image/tiff` (.tiff/.tif), `application/dicom`
    (DICOM), `application/zip` (zipped DICOM), or `application/octet-stream` (.svs) |
    | `resolution_mpp` optional | Resolution of the WSI in micrometers per pixel |
    | `width_px` optional | Number of pixels of the WSI in the X dimension |
    | `height_px` optional | Number of pixels of the WSI in the Y dimension |

    ### Response

    The endpoint returns the run UUID. After that, the job is scheduled for execution in the
    background.

    To check the status of the run, call `GET /v1/runs/{run_id}` with the returned run UUID.

    ### Rejection

    Beyond authentication, authorization, and malformed-input errors, the request is rejected with
    `402 Payment Required` when a quota limit would be exceeded. See the quota documentation for
    details.

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

    Item processing occurs asynchronously, allowing you to retrieve results for individual items as
    soon as they complete processing. The system typically processes items in batches.

    ### Payload

    The payload includes `application_id`, optional `version_number`, and `items` base fields.

    `application_id` is the unique identifier for the application.
    `version_number` is the semantic version to use. If not provided, the latest version available to
    you will be used.

    `items` includes the list of the items to process (slides, in case of the Atlas H&E-TME
    application). Every item has a set of standard fields defined by the API, plus
    `input_artifacts[].metadata`, whose shape is defined by the chosen application version.

    Below is an example payload for initiating an Atlas H&E-TME (`he-tme`) run:

    ```json
    {
      "application_id": "he-tme",
      "items": [
        {
          "external_id": "slide_1",
          "custom_metadata": {
            "case": "abc"
          },
          "input_artifacts": [
            {
              "name": "whole_slide_image",
              "download_url": "https://example-bucket.s3.amazonaws.com/slide1.tiff?signature=...",
              "metadata": {
                "checksum_base64_crc32c": "64RKKA==",
                "staining_method": "H&E",
                "specimen": {
                  "disease": "LUNG_CANCER",
                  "tissue": "LUNG"
                },
                "media_type": "image/tiff",
                "width_px": 136223,
                "height_px": 87761,
                "resolution_mpp": 0.2628238
              }
            }
          ]
        }
      ]
    }
    ```

    > **The example above is a snapshot, not a contract.** Applications are released independently of
    > this API, so the `input_artifacts[].metadata` shape shown here may lag behind the version you are
    > running. The authoritative schema for a version is always `input_artifacts[].metadata_schema`
    > from `GET /v1/applications/{application_id}/versions/{version}`. That schema rejects unknown
    > properties, so a stale field name will fail validation with `400`.

    | Parameter | Description |
    | :---- | :---- |
    | `application_id` **required** | Unique ID for the application |
    | `version_number` optional | Semantic version of the application. If not provided, the latest
    version available to you will be used |
    | `items` **required** | List of submitted items, i.e. whole slide images (WSIs), with the
    parameters described below |
    | `external_id` **required** | Unique WSI name or ID for easy reference to items, provided by the
    caller. Must be unique across all items of the run |
    | `custom_metadata` optional | Free-form JSON stored verbatim alongside the run or item. Not
    processed or validated by the platform, and not application-specific |
    | `input_artifacts` **required** | List of provided artifacts for a WSI. Atlas H&E-TME receives 1
    artifact per slide (the slide itself); other applications may take more, e.g. a slide plus a
    segmentation map |
    | `name` **required** | Name of the artifact as declared by the application version. Atlas H&E-TME
    accepts only `"whole_slide_image"` |
    | `download_url` **required** | Signed URL to the input file in S3 or GCS. Should be valid for at
    least 6 days |

    The remaining fields below live inside `input_artifacts[].metadata` and are governed by the
    application version's `metadata_schema`. The following applies to Atlas H&E-TME:

    | Metadata field | Description |
    | :---- | :---- |
    | `checksum_base64_crc32c` **required** | Base64-encoded big-endian CRC32C checksum of the WSI image
    |
    | `staining_method` **required** | WSI stain bio-marker; Atlas H&E-TME supports only `"H&E"` |
    | `specimen.disease` **required** | One of `BREAST_CANCER`, `LUNG_CANCER`, `COLORECTAL_CANCER`,
    `BLADDER_CANCER`, `LIVER_CANCER`, `PROSTATE_CANCER`, `PANCREATIC_CANCER`, `STOMACH_CANCER`,
    `OVARIAN_CANCER`, or `OTHER` |
    | `specimen.tissue` optional | Tissue of origin. Allowed values depend on `disease`; defaults to
    `OTHER` when omitted |
    | `media_type` optional | Media format of the WSI: `image/tiff` (.tiff/.tif), `application/dicom`
    (DICOM), `application/zip` (zipped DICOM), or `application/octet-stream` (.svs) |
    | `resolution_mpp` optional | Resolution of the WSI in micrometers per pixel |
    | `width_px` optional | Number of pixels of the WSI in the X dimension |
    | `height_px` optional | Number of pixels of the WSI in the Y dimension |

    ### Response

    The endpoint returns the run UUID. After that, the job is scheduled for execution in the
    background.

    To check the status of the run, call `GET /v1/runs/{run_id}` with the returned run UUID.

    ### Rejection

    Beyond authentication, authorization, and malformed-input errors, the request is rejected with
    `402 Payment Required` when a quota limit would be exceeded. See the quota documentation for
    details.

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

    Item processing occurs asynchronously, allowing you to retrieve results for individual items as
    soon as they complete processing. The system typically processes items in batches.

    ### Payload

    The payload includes `application_id`, optional `version_number`, and `items` base fields.

    `application_id` is the unique identifier for the application.
    `version_number` is the semantic version to use. If not provided, the latest version available to
    you will be used.

    `items` includes the list of the items to process (slides, in case of the Atlas H&E-TME
    application). Every item has a set of standard fields defined by the API, plus
    `input_artifacts[].metadata`, whose shape is defined by the chosen application version.

    Below is an example payload for initiating an Atlas H&E-TME (`he-tme`) run:

    ```json
    {
      "application_id": "he-tme",
      "items": [
        {
          "external_id": "slide_1",
          "custom_metadata": {
            "case": "abc"
          },
          "input_artifacts": [
            {
              "name": "whole_slide_image",
              "download_url": "https://example-bucket.s3.amazonaws.com/slide1.tiff?signature=...",
              "metadata": {
                "checksum_base64_crc32c": "64RKKA==",
                "staining_method": "H&E",
                "specimen": {
                  "disease": "LUNG_CANCER",
                  "tissue": "LUNG"
                },
                "media_type": "image/tiff",
                "width_px": 136223,
                "height_px": 87761,
                "resolution_mpp": 0.2628238
              }
            }
          ]
        }
      ]
    }
    ```

    > **The example above is a snapshot, not a contract.** Applications are released independently of
    > this API, so the `input_artifacts[].metadata` shape shown here may lag behind the version you are
    > running. The authoritative schema for a version is always `input_artifacts[].metadata_schema`
    > from `GET /v1/applications/{application_id}/versions/{version}`. That schema rejects unknown
    > properties, so a stale field name will fail validation with `400`.

    | Parameter | Description |
    | :---- | :---- |
    | `application_id` **required** | Unique ID for the application |
    | `version_number` optional | Semantic version of the application. If not provided, the latest
    version available to you will be used |
    | `items` **required** | List of submitted items, i.e. whole slide images (WSIs), with the
    parameters described below |
    | `external_id` **required** | Unique WSI name or ID for easy reference to items, provided by the
    caller. Must be unique across all items of the run |
    | `custom_metadata` optional | Free-form JSON stored verbatim alongside the run or item. Not
    processed or validated by the platform, and not application-specific |
    | `input_artifacts` **required** | List of provided artifacts for a WSI. Atlas H&E-TME receives 1
    artifact per slide (the slide itself); other applications may take more, e.g. a slide plus a
    segmentation map |
    | `name` **required** | Name of the artifact as declared by the application version. Atlas H&E-TME
    accepts only `"whole_slide_image"` |
    | `download_url` **required** | Signed URL to the input file in S3 or GCS. Should be valid for at
    least 6 days |

    The remaining fields below live inside `input_artifacts[].metadata` and are governed by the
    application version's `metadata_schema`. The following applies to Atlas H&E-TME:

    | Metadata field | Description |
    | :---- | :---- |
    | `checksum_base64_crc32c` **required** | Base64-encoded big-endian CRC32C checksum of the WSI image
    |
    | `staining_method` **required** | WSI stain bio-marker; Atlas H&E-TME supports only `"H&E"` |
    | `specimen.disease` **required** | One of `BREAST_CANCER`, `LUNG_CANCER`, `COLORECTAL_CANCER`,
    `BLADDER_CANCER`, `LIVER_CANCER`, `PROSTATE_CANCER`, `PANCREATIC_CANCER`, `STOMACH_CANCER`,
    `OVARIAN_CANCER`, or `OTHER` |
    | `specimen.tissue` optional | Tissue of origin. Allowed values depend on `disease`; defaults to
    `OTHER` when omitted |
    | `media_type` optional | Media format of the WSI: `image/tiff` (.tiff/.tif), `application/dicom`
    (DICOM), `application/zip` (zipped DICOM), or `application/octet-stream` (.svs) |
    | `resolution_mpp` optional | Resolution of the WSI in micrometers per pixel |
    | `width_px` optional | Number of pixels of the WSI in the X dimension |
    | `height_px` optional | Number of pixels of the WSI in the Y dimension |

    ### Response

    The endpoint returns the run UUID. After that, the job is scheduled for execution in the
    background.

    To check the status of the run, call `GET /v1/runs/{run_id}` with the returned run UUID.

    ### Rejection

    Beyond authentication, authorization, and malformed-input errors, the request is rejected with
    `402 Payment Required` when a quota limit would be exceeded. See the quota documentation for
    details.

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
