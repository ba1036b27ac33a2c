"""Applications and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._core._arguments import as_path
from .._core._misuse import explains_misuse
from .._core._pager import MAX_PAGE_SIZE, Pager, PageRequest
from .._identifiers import as_path_part, as_version_number, split_version_id

if TYPE_CHECKING:
    import os

    from .._session import Session
    from ..models import Application, ApplicationVersion, Document


@explains_misuse("applications are listed with `async for application in client.applications.list():`")
class Applications:
    """The applications that the caller's organization may run, with their versions and documents.

        version = await client.applications.version("he-tme:v1.2.3")

    `client.applications` is the instance of a client. Its async methods, and the pagers when they are
    iterated, raise UsageError if the client is not open.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, sort: str | Sequence[str] = (), page_size: int = MAX_PAGE_SIZE) -> Pager[Application]:
        """Return a pager of all applications; sends no request until it is iterated.

            async for application in client.applications.list(sort="-name"):
                print(application.application_id)

        `sort` is one or several of `application_id`, `name`, `description` and `regulatory_classes`, each
        with a leading `-` for descending order; by default the server decides. Costs one request per page of
        `page_size` applications, from 5 to 100 and by default 100. Raises UsageError for another `page_size`,
        or a `sort` that is not text. Iterating raises UsageError for another field, and the errors that
        `Pager` names.
        """
        return Pager(
            "list applications",
            lambda page: self._session.bridge.list_applications(page),  # noqa: PLW0108 - open only by then
            PageRequest.first(sort, page_size),
            key=lambda application: application.application_id,
        )

    def versions(
        self,
        application_id: str,
        *,
        version: str | None = None,
        sort: str | Sequence[str] = (),
        page_size: int = MAX_PAGE_SIZE,
    ) -> Pager[ApplicationVersion]:
        """Return a pager of the versions of an application; sends no request until it is iterated.

            async for version in client.applications.versions("he-tme"):
                print(version.application_version_id, version.changelog)

        `version` limits it to one semantic version, such as `"1.2.3"`; None, the default, for all. `sort` is
        one or several of `version`, `application_version_id` and `created_at`, each with a leading `-` for
        descending order; by default the server decides. Costs one request per page of `page_size` versions,
        from 5 to 100 and by default 100, and under contract 1.8 one more per version.

        Raises UsageError for an id that is empty or can't be in a URL, a `version` that is none, another
        `page_size`, or a `sort` that is not text. Iterating raises NotFound if there is no such application
        (under contract 1.0 there may be no versions instead), UsageError for another field in `sort`, and the
        errors that `Pager` names.
        """
        application_id = as_path_part(application_id, "application id")
        number = None if version is None else as_version_number(version)
        return Pager(
            "list versions",
            lambda page: self._session.bridge.list_application_versions(application_id, page, version=number),
            PageRequest.first(sort, page_size),
            key=lambda found: found.application_version_id,
        )

    async def version(self, application_version_id: str) -> ApplicationVersion:
        """Return one version of an application by its id.

            version = await client.applications.version("he-tme:v1.2.3")
            print([spec.name for spec in version.input_artifacts])

        The id is `{application id}:v{semantic version}`; the `v` can be omitted. Costs one request. Raises
        UsageError for what is not a version id, NotFound if there is no such version, and the errors of
        requests that `Pager` names; under contract 1.0 InvalidItems if an entry that may be the version can't
        be read.
        """
        application_id, wanted = split_version_id(application_version_id)
        return await self._session.bridge.get_application_version(application_id, wanted)

    async def documents(self, application_version_id: str) -> Sequence[Document]:
        """Return the public documents of a version, such as its instructions for use, in the server's order.

            for document in await client.applications.documents("he-tme:v1.2.3"):
                print(document.name, document.mime_type)

        The result is a tuple, empty if there are none. The `v` of the version id can be omitted. Costs one
        request. Raises NotInContract under contract 1.0, UsageError for what is not a version id, NotFound if
        there is no such version, InvalidItems if an entry can't be read, and the errors of requests that
        `Pager` names.
        """
        return await self._session.bridge.list_documents(*split_version_id(application_version_id))

    async def download_document(
        self,
        application_version_id: str,
        name: str,
        folder: str | os.PathLike[str],
        *,
        allow_unverified: bool = False,
    ) -> Path:
        """Download a document of a version to a folder, and return the path of the file.

            path = await client.applications.download_document("he-tme:v1.2.3", "instructions.pdf", "docs/")

        `name` is that of a `Document`, and `folder` is created if it is missing. The file is named like the
        document, with characters replaced that a file system may not accept, and replaces an existing file
        once it is complete and has the CRC32C that the storage reports. If the storage reports none,
        ChecksumMissing is raised and an existing file stays, unless `allow_unverified` is True (False by
        default).

        Costs one request and the transfer, and both once more if the checksum is wrong; and another request
        if the storage refuses the URL. Raises NotInContract under contract 1.0, UsageError for what is not a
        version id, a name that is empty or can't be in a URL, or a `folder` that is no path, NotFound for an
        unknown version or name, TransferError if the file can't be transferred or written, ConfigurationError
        if the system gives no thread, and the errors of requests that `Pager` names.
        """
        from ..downloads._document import download_document

        application_id, version = split_version_id(application_version_id)
        session, name = self._session, as_path_part(name, "document")
        return await download_document(
            session.engine,
            lambda: session.bridge.document_url(application_id, version, name),
            as_path(folder, "folder"),
            name,
            allow_unverified=allow_unverified,
        )
