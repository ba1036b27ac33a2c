"""`applications` and `documents`: what the organization may run, and what is written about it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from .. import Application, ApplicationVersion, Client
from ..errors import NotFound, UsageError
from ._options import Json, client
from ._output import human_moment, jsonable, out, print_json, print_table


async def applications(application_id: str | None = None, /, *, as_json: Json = False) -> None:
    """List the applications, or the versions of one.

    Ends with 7 if there is no such application.

    Example: `aignostics-async applications he-tme`

    Parameters
    ----------
    application_id
        An application, to list its versions with their inputs and outputs.
    """
    async with client() as session:
        if application_id is None:
            _show_applications([each async for each in session.applications.list()], as_json=as_json)
        else:
            _show_versions(await list_versions(session, application_id), as_json=as_json)


async def documents(
    application_version: str,
    /,
    *names: str,
    download: Path | None = None,
    as_json: Json = False,
) -> None:
    """List the documents of an application version, or download them.

    Ends with 7 if there is no such version or document.

    Example: `aignostics-async documents he-tme:v1.1.0 --download docs/`

    Parameters
    ----------
    application_version
        The application version, such as he-tme:v1.0.0; see 'applications'.
    names
        The documents to download; all of them by default.
    download
        Download to this folder; each file is compared with the checksum of the storage.
    """
    if names and download is None:
        raise UsageError("documents are named to download them; give --download FOLDER, too")
    async with client() as session:
        listed = await session.applications.documents(application_version)
        if download is not None:
            fetch = partial(session.applications.download_document, application_version, folder=download)
            paths = [await fetch(name) for name in names or [each.name for each in listed]]
    if download is not None and as_json:
        print_json([str(path) for path in paths])
    elif download is not None:
        for path in paths:
            out(str(path))
    elif as_json:
        print_json([jsonable(each) for each in listed])
    else:
        print_table(
            ("document", "media type", "updated"),
            [(each.name, each.mime_type, human_moment(each.updated_at)) for each in listed],
        )


async def find_version(session: Client, version_id: str) -> ApplicationVersion:
    """Return a version; raises NotFound with those that there are."""
    try:
        return await session.applications.version(version_id)
    except NotFound as error:
        refused = error
    application_id = version_id.partition(":")[0]
    known = [each.application_version_id for each in await list_versions(session, application_id)]
    raise NotFound(
        404,
        method="GET",
        path=refused.path,
        detail=f"there is no version {version_id!r}; there are {', '.join(known) or 'none'}",
    ) from refused


async def list_versions(session: Client, application_id: str) -> list[ApplicationVersion]:
    """Return the versions of an application; raises NotFound if there is no such application."""
    # Of an unknown application, contract 1.0 lists no versions, and later ones answer 404.
    refused: NotFound | None = None
    versions: list[ApplicationVersion] = []
    try:
        versions = [each async for each in session.applications.versions(application_id)]
    except NotFound as error:
        refused = error
    if versions:
        return versions
    known = [each.application_id async for each in session.applications.list()]
    if application_id not in known:
        raise _unknown_application(application_id, known) from refused
    if refused is not None:
        raise refused
    return []


def _unknown_application(application_id: str, known: list[str]) -> NotFound:
    available = ", ".join(known) or "none"
    return NotFound(
        404,
        method="GET",
        path=f"/api/v1/applications/{application_id}",
        detail=f"there is no application {application_id!r}; your organization has {available}",
    )


def _show_applications(found: list[Application], *, as_json: bool) -> None:
    if as_json:
        print_json([jsonable(each) for each in found])
    else:
        rows = [(each.application_id, each.name, each.description) for each in found]
        print_table(("application", "name", "description"), rows)


def _show_versions(found: list[ApplicationVersion], *, as_json: bool) -> None:
    if as_json:
        print_json([jsonable(each) for each in found])
        return
    rows = [
        (
            each.application_version_id,
            [spec.name for spec in each.input_artifacts],
            [spec.name for spec in each.output_artifacts],
        )
        for each in found
    ]
    print_table(("version", "inputs", "outputs"), rows)
