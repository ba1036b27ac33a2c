"""Contains all the data models used in inputs/outputs"""

from .application_read_response import ApplicationReadResponse
from .application_run_status import ApplicationRunStatus
from .application_version_read_response import ApplicationVersionReadResponse
from .http_validation_error import HTTPValidationError
from .input_artifact_creation_request import InputArtifactCreationRequest
from .input_artifact_read_response import InputArtifactReadResponse
from .item_creation_request import ItemCreationRequest
from .item_result_read_response import ItemResultReadResponse
from .item_status import ItemStatus
from .output_artifact_read_response import OutputArtifactReadResponse
from .output_artifact_result_read_response import OutputArtifactResultReadResponse
from .output_artifact_scope import OutputArtifactScope
from .payload_input_artifact import PayloadInputArtifact
from .payload_item import PayloadItem
from .payload_item_input_artifacts import PayloadItemInputArtifacts
from .payload_item_output_artifacts import PayloadItemOutputArtifacts
from .payload_output_artifact import PayloadOutputArtifact
from .run_creation_request import RunCreationRequest
from .run_creation_response import RunCreationResponse
from .run_read_response import RunReadResponse
from .transfer_urls import TransferUrls
from .user_payload import UserPayload
from .user_payload_global_output_artifacts_type_0 import (
    UserPayloadGlobalOutputArtifactsType0,
)
from .validation_error import ValidationError

__all__ = (
    "ApplicationReadResponse",
    "ApplicationRunStatus",
    "ApplicationVersionReadResponse",
    "HTTPValidationError",
    "InputArtifactCreationRequest",
    "InputArtifactReadResponse",
    "ItemCreationRequest",
    "ItemResultReadResponse",
    "ItemStatus",
    "OutputArtifactReadResponse",
    "OutputArtifactResultReadResponse",
    "OutputArtifactScope",
    "PayloadInputArtifact",
    "PayloadItem",
    "PayloadItemInputArtifacts",
    "PayloadItemOutputArtifacts",
    "PayloadOutputArtifact",
    "RunCreationRequest",
    "RunCreationResponse",
    "RunReadResponse",
    "TransferUrls",
    "UserPayload",
    "UserPayloadGlobalOutputArtifactsType0",
    "ValidationError",
)
