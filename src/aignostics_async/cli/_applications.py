"""`applications`: what the organization may run."""

from __future__ import annotations

from .. import Application, ApplicationVersion, Client
from ..errors import NotFound
from ._options import Json, client
from ._output import jsonable, print_json, print_table


async def applications(application_id: str | None = None, /, *, as_json: Json = False) -> None:
    """List the applications, or the versions of one.

    Ends with 7 if there is no such application.

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


async def list_versions(session: Client, application_id: str) -> list[ApplicationVersion]:
    """Return the versions of an application; raises NotFound if there is no such application."""
    versions = [each async for each in session.applications.versions(application_id)]
    if versions:
        return versions
    known = [each.application_id async for each in session.applications.list()]
    if application_id in known:
        return []
    available = ", ".join(known) or "none"
    raise NotFound(
        404,
        method="GET",
        path=f"/api/v1/applications/{application_id}/versions",
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
