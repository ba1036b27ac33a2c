"""What a gateway without a route to the API answers: a 404 that proves nothing, or runs are paid twice."""

from __future__ import annotations

from typing import Any

import pytest
from support import NOT_THERE, count

from aignostics_async import APIStatusError, NotFound
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts

NO_ROUTE: dict[str, dict[str, Any]] = {
    "page": {"status": 404, "body": "<html>default backend - 404</html>"},
    "text": {"status": 404, "body": "404 page not found", "headers": {"content-type": "text/plain"}},
    "nothing": {"status": 404},
    "problem document": {
        "status": 404,
        "body": '{"title": "Not Found", "status": 404, "detail": "No static resource v1/runs."}',
        "headers": {"content-type": "application/problem+json"},
    },
    "JSON of another": {"status": 404, "body": {"message": "no Route matched with those values"}},
}
REFERENCES = [f"case-{number:03}" for number in range(101)]
ALL_DONE = [(0, reference, "SUCCEEDED") for reference in REFERENCES]


@pytest.fixture
def run_id(emulator: Emulator) -> str:
    """Return a run that is over, and whose items take two pages."""
    steps = [(0, None, "RUNNING"), *ALL_DONE, (0, None, "COMPLETED")]
    (made,) = emulator.script({"items": REFERENCES, "steps": steps})
    return made


@pytest.mark.parametrize("answer", NO_ROUTE.values(), ids=NO_ROUTE)
async def test_a_listing_does_not_end_with_it(
    emulator: Emulator, run_id: str, answer: dict[str, Any]
) -> None:
    second = {"operation": "list_results", "query": {"page": "2"}}
    async with emulator.client() as client:
        emulator.set_faults({**second, **answer})
        with pytest.raises(APIStatusError, match="proves nothing") as caught:
            await client.run(run_id).results().to_list()
        assert (type(caught.value), caught.value.is_transient) == (APIStatusError, True)
        found = await client.runs.find(references=REFERENCES)
        assert ([each.run_id for each in found.possible], found.exact) == ([run_id], ())
        emulator.set_faults({**second, **answer, "times": 1})
        assert len(await client.run(run_id).results().to_list()) == len(REFERENCES), "it is asked again"
        emulator.set_faults({**second, **NOT_THERE})
        assert len(await client.run(run_id).results().to_list()) == 100, "the API's own ends a listing"


async def test_only_the_api_says_that_a_run_is_gone(emulator: Emulator, run_id: str) -> None:
    async with emulator.client() as client:
        for answer in NO_ROUTE.values():
            emulator.set_faults({"operation": "get_run", **answer, "times": 1})
            assert (await client.run(run_id).wait()).run_id == run_id
            emulator.set_faults({"operation": "cancel_run", **answer})
            with pytest.raises(APIStatusError) as caught:
                await client.run(run_id).cancel()
            assert not isinstance(caught.value, NotFound)
            assert count(emulator, operation="cancel_run") == 1, "a POST is not repeated"
