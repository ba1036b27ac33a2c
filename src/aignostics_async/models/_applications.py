"""Applications, their versions and documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from ._statuses import ArtifactScope


@frozen
class Application:
    """An application that the caller's organization may run.

        async for application in client.applications.list():
            print(application.application_id, application.name, application.regulatory_classes)

    `application_id` is the part of a version id before the colon.
    """

    application_id: str
    """The id, such as `"he-tme"`."""
    name: str
    """The name, for people."""
    description: str
    """The description, for people."""
    regulatory_classes: tuple[str, ...]
    """The regulatory classes in the platform's own words, such as `"RuO"`."""
    latest_version: str | None = None
    """The number of the newest version, such as `"1.2.3"`; None if the contract does not tell it."""


@frozen
class InputArtifactSpec:
    """An input file that a version needs for each item, as `ApplicationVersion.input_artifacts` lists it.

        schema = version.input_artifacts[0].metadata_schema

    The metadata of the file must fit `metadata_schema`, a JSON schema as a mapping.
    """

    name: str
    """The name to pass as `InputArtifact.name`."""
    mime_type: str
    """The media type of the file."""
    metadata_schema: Mapping[str, Any] = field(repr=False)
    """The JSON schema that the metadata of the file must fit."""


@frozen
class OutputArtifactSpec:
    """A file that a version produces, as `ApplicationVersion.output_artifacts` lists it.

        for spec in version.output_artifacts:
            print(spec.name, spec.mime_type, spec.scope)

    `scope` tells whether the file is of each item or of the whole run; `metadata_schema` is the JSON schema
    of its metadata.
    """

    name: str
    """The name of the output."""
    mime_type: str
    """The media type of the file."""
    metadata_schema: Mapping[str, Any] = field(repr=False)
    """The JSON schema of the file's metadata."""
    scope: ArtifactScope
    """Whether the file belongs to one item or to the whole run."""


@frozen
class ApplicationVersion:
    """A version of an application: its inputs, its outputs and its changelog.

        version = await client.applications.version("he-tme:v1.2.3")
        print(version.application_version_id, [spec.name for spec in version.input_artifacts])

    `created_at` has a time zone.
    """

    application_version_id: str
    """The id, such as `"he-tme:v1.2.3"`."""
    application_id: str
    """The id of the application, such as `"he-tme"`."""
    version: str
    """The semantic version, such as `"1.2.3"`."""
    changelog: str
    """The changes of this version, for people."""
    created_at: datetime
    """When the version was released, with time zone."""
    input_artifacts: tuple[InputArtifactSpec, ...]
    """The files that each item needs."""
    output_artifacts: tuple[OutputArtifactSpec, ...]
    """The files that the version produces."""


@frozen
class Document:
    """A document that belongs to a version of an application, such as its instructions for use.

        for document in await client.applications.documents("he-tme:v1.2.3"):
            print(document.name, document.mime_type)

    `name` is the one that `Applications.download_document` takes. `created_at` and `updated_at` have a time
    zone.
    """

    document_id: str
    """The id of the document."""
    name: str
    """The name, as `Applications.download_document` takes it."""
    mime_type: str
    """The media type of the file."""
    created_at: datetime
    """When it was first published, with time zone."""
    updated_at: datetime
    """When it was last changed, with time zone."""
