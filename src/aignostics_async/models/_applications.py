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

    `application_id` is the part of a version id before the colon. `name` and `description` are for people;
    `regulatory_classes` is a tuple of the platform's names of them, such as `RuO`. `latest_version` is the
    number of the newest version; None, the default, if there is none, and under contract 1.0.
    """

    application_id: str
    """The id, such as `"he-tme"`."""
    name: str
    """The name, for people."""
    description: str
    """The description, for people; may be empty."""
    regulatory_classes: tuple[str, ...]
    """The regulatory classes as the platform names them, such as `"RuO"`; may be empty."""
    latest_version: str | None = None
    """The number of the newest version, such as `"1.2.3"`; None, the default, if there is none, and under
    contract 1.0.
    """


@frozen
class InputArtifactSpec:
    """An input file that a version needs for each item, as `ApplicationVersion.input_artifacts` lists it.

        for spec in version.input_artifacts:
            print(spec.name, spec.mime_type, spec.metadata_schema.get("required"))

    `name` is the one to pass as `InputArtifact.name`, and `mime_type` the media type of the file. The
    metadata of the file must fit `metadata_schema`, a JSON schema as a mapping, empty if there is none.
    """

    name: str
    """The name to pass as `InputArtifact.name`."""
    mime_type: str
    """The media type of the file, such as `"image/tiff"`."""
    metadata_schema: Mapping[str, Any] = field(repr=False)
    """The JSON schema that the metadata of the file must fit, as parsed JSON; empty if there is none."""


@frozen
class OutputArtifactSpec:
    """An output file that a version produces, as `ApplicationVersion.output_artifacts` lists it.

        for spec in version.output_artifacts:
            print(spec.name, spec.mime_type, spec.scope)

    `name` is that of the output, and `mime_type` its media type. `metadata_schema` is the JSON schema of its
    metadata, as a mapping, empty if there is none. `scope` is an `ArtifactScope`: one file for each item, or
    one for the whole run.
    """

    name: str
    """The name of the output, as `OutputArtifact.name` has it."""
    mime_type: str
    """The media type of the file, such as `"text/csv"`."""
    metadata_schema: Mapping[str, Any] = field(repr=False)
    """The JSON schema of the file's metadata, as parsed JSON; empty if there is none."""
    scope: ArtifactScope
    """Whether the file belongs to one item or to the whole run."""


@frozen
class ApplicationVersion:
    """A version of an application: its inputs, its outputs and its changelog.

        version = await client.applications.version("he-tme:v1.2.3")
        print(version.application_version_id, [spec.name for spec in version.input_artifacts])

    `application_version_id` is the id, such as `he-tme:v1.2.3`; `application_id` and `version` are its parts,
    without the `v`. `changelog` is for people and may be empty. `created_at` is the time of its release, with
    time zone. `input_artifacts` and `output_artifacts` are tuples of `InputArtifactSpec` and
    `OutputArtifactSpec`, in the platform's order.

    `Runs.create` and `Runs.submit` accept it in place of a version id, which saves a request.
    """

    application_version_id: str
    """The id, such as `"he-tme:v1.2.3"`."""
    application_id: str
    """The id of the application, such as `"he-tme"`."""
    version: str
    """The semantic version, such as `"1.2.3"`."""
    changelog: str
    """The changes of this version, for people; may be empty."""
    created_at: datetime
    """The time at which the version was released, with time zone."""
    input_artifacts: tuple[InputArtifactSpec, ...]
    """The files that each item needs, in the platform's order."""
    output_artifacts: tuple[OutputArtifactSpec, ...]
    """The files that the version produces, in the platform's order."""


@frozen
class Document:
    """A document that belongs to a version of an application, such as its instructions for use.

        for document in await client.applications.documents("he-tme:v1.2.3"):
            print(document.name, document.mime_type)

    `document_id` is the platform's id. `Applications.download_document` takes its `name`. `mime_type` is the
    media type of the file, and `created_at` and `updated_at` are the times of its publication and last
    change, with time zone.
    """

    document_id: str
    """The id of the document."""
    name: str
    """The name, as `Applications.download_document` takes it."""
    mime_type: str
    """The media type of the file, such as `"application/pdf"`."""
    created_at: datetime
    """The time at which it was first published, with time zone."""
    updated_at: datetime
    """The time of its last change, with time zone."""
