"""`applications`: what the organization may run."""

from __future__ import annotations

from ._common import Json, client, plain, print_json, print_table


async def applications(application_id: str | None = None, /, *, as_json: Json = False) -> None:
    """List the applications, or the versions of one.

    Parameters
    ----------
    application_id
        An application, to list its versions with what they need and give.
    """
    async with client() as session:
        if application_id is None:
            found = [application async for application in session.applications.list()]
            columns = ("application", "name", "description")
            rows = [(each.application_id, each.name, each.description) for each in found]
            records = [plain(each) for each in found]
        else:
            versions = [version async for version in session.applications.versions(application_id)]
            columns = ("version", "inputs", "outputs")
            rows = [
                (
                    each.application_version_id,
                    "\n".join(spec.name for spec in each.input_artifacts),
                    "\n".join(spec.name for spec in each.output_artifacts),
                )
                for each in versions
            ]
            records = [plain(each) for each in versions]
    if as_json:
        print_json(records)
    else:
        print_table(columns, rows)
