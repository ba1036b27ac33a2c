"""Contains all the data models used in inputs/outputs"""

from .application_read_response import ApplicationReadResponse
from .application_read_short_response import ApplicationReadShortResponse
from .application_version import ApplicationVersion
from .artifact_output import ArtifactOutput
from .artifact_state import ArtifactState
from .artifact_termination_reason import ArtifactTerminationReason
from .custom_metadata_update_request import CustomMetadataUpdateRequest
from .custom_metadata_update_response import CustomMetadataUpdateResponse
from .grant_create_request import GrantCreateRequest
from .grant_read_response import GrantReadResponse
from .grant_relation import GrantRelation
from .http_validation_error import HTTPValidationError
from .input_artifact import InputArtifact
from .input_artifact_creation_request import InputArtifactCreationRequest
from .input_artifact_result_read_response import InputArtifactResultReadResponse
from .item_creation_request import ItemCreationRequest
from .item_output import ItemOutput
from .item_result_read_response import ItemResultReadResponse
from .item_state import ItemState
from .item_termination_reason import ItemTerminationReason
from .me_read_response import MeReadResponse
from .organization_read_response import OrganizationReadResponse
from .output_artifact import OutputArtifact
from .output_artifact_result_read_response import OutputArtifactResultReadResponse
from .output_artifact_scope import OutputArtifactScope
from .output_artifact_visibility import OutputArtifactVisibility
from .resource_type import ResourceType
from .run_creation_request import RunCreationRequest
from .run_creation_response import RunCreationResponse
from .run_item_statistics import RunItemStatistics
from .run_output import RunOutput
from .run_read_response import RunReadResponse
from .run_state import RunState
from .run_termination_reason import RunTerminationReason
from .scheduling_request import SchedulingRequest
from .scheduling_response import SchedulingResponse
from .share_token_create_request import ShareTokenCreateRequest
from .share_token_create_response import ShareTokenCreateResponse
from .share_token_read_response import ShareTokenReadResponse
from .subject_type import SubjectType
from .user_read_response import UserReadResponse
from .validation_error import ValidationError
from .validation_error_context import ValidationErrorContext
from .version_document_response import VersionDocumentResponse
from .version_document_visibility import VersionDocumentVisibility
from .version_read_response import VersionReadResponse

__all__ = (
    "ApplicationReadResponse",
    "ApplicationReadShortResponse",
    "ApplicationVersion",
    "ArtifactOutput",
    "ArtifactState",
    "ArtifactTerminationReason",
    "CustomMetadataUpdateRequest",
    "CustomMetadataUpdateResponse",
    "GrantCreateRequest",
    "GrantReadResponse",
    "GrantRelation",
    "HTTPValidationError",
    "InputArtifact",
    "InputArtifactCreationRequest",
    "InputArtifactResultReadResponse",
    "ItemCreationRequest",
    "ItemOutput",
    "ItemResultReadResponse",
    "ItemState",
    "ItemTerminationReason",
    "MeReadResponse",
    "OrganizationReadResponse",
    "OutputArtifact",
    "OutputArtifactResultReadResponse",
    "OutputArtifactScope",
    "OutputArtifactVisibility",
    "ResourceType",
    "RunCreationRequest",
    "RunCreationResponse",
    "RunItemStatistics",
    "RunOutput",
    "RunReadResponse",
    "RunState",
    "RunTerminationReason",
    "SchedulingRequest",
    "SchedulingResponse",
    "ShareTokenCreateRequest",
    "ShareTokenCreateResponse",
    "ShareTokenReadResponse",
    "SubjectType",
    "UserReadResponse",
    "ValidationError",
    "ValidationErrorContext",
    "VersionDocumentResponse",
    "VersionDocumentVisibility",
    "VersionReadResponse",
)
