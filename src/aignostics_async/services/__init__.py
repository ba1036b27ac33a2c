"""What a service on the SDK needs beside the client: supervision, events for its pages, and submissions that
go on behind the requests that start them.

    from aignostics_async.services import BackgroundSubmissions, EventFeed, Supervisor

    async with EventFeed("data/feed.json") as feed, Client.from_env() as client:
        async with BackgroundSubmissions("data/submissions.json", client, submit) as submissions:
            await Supervisor().run(show_changes, show_results)

The parts know nothing of each other, nor of any web framework. examples/service puts them together.
"""

from .._core._lazy_exports import lazy_exports
from ._exports import HOMES

__getattr__, __dir__, __all__ = lazy_exports(__name__, HOMES)
