"""Documents of application versions, as frozen snapshots."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


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
