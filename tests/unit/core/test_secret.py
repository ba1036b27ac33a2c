"""A secret can be sent and compared, and shows nowhere."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback
from collections.abc import Callable
from contextlib import suppress

import pytest
from attrs import asdict, evolve, frozen

from aignostics_async import AignosticsError, IdentityProvider, InputArtifact, RefreshToken, Token
from aignostics_async._core._secret import Secret


@frozen
class Holder:
    text: Secret


def test_a_secret_shows_nowhere() -> None:
    secret = Secret("PLANTED")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        repr([secret]),
        repr(Holder(secret)),
        repr(asdict(Holder(secret))),
    ]
    assert not any("PLANTED" in text for text in shown)
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)


def test_a_secret_is_no_local_variable_of_a_traceback() -> None:
    def fail(secret: Secret) -> None:
        raise ValueError(str(secret))

    with pytest.raises(ValueError, match="Secret") as caught:
        fail(Secret("CAN" + "ARY"))
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "secret = Secret(...)" in "".join(told.format())
    assert "PLANTED" not in "".join(told.format())


def test_secrets_are_compared_by_their_text() -> None:
    assert Secret("ä") == copy.deepcopy(Secret("ä"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("\udcff") != Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a")
    assert not Secret("")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Token("PLANTED token"),
        lambda: Token(text="PLANTED token", lifetime="long"),  # type: ignore[arg-type]
        lambda: IdentityProvider(token_url="no URL", client_id="c", client_secret="PLANTED"),
        lambda: IdentityProvider.preset("dev", client_id="", client_secret="PLANTED"),
        lambda: IdentityProvider.beside("no URL", client_id="c", client_secret="PLANTED"),
        lambda: IdentityProvider.preset("nowhere", client_id="c", client_secret="PLANTED"),
        lambda: RefreshToken("PLANTED\nx", provider=IdentityProvider.preset("dev", client_id="c")),
        lambda: InputArtifact("slide", "https://x?sig=PLANTED", None),  # type: ignore[arg-type]
        lambda: InputArtifact(name=1, download_url="https://x?sig=PLANTED", metadata={}),  # type: ignore[arg-type]
    ],
)
def test_no_frame_of_a_constructor_shows_a_secret(make: Callable[[], object]) -> None:
    """Not even those of the constructor that attrs writes."""
    with pytest.raises((AignosticsError, ValueError)) as caught:
        make()
    frames = list(traceback.walk_tb(caught.value.__traceback__))[1:]
    assert frames
    for frame, _ in frames:
        for value in frame.f_locals.values():
            with suppress(AttributeError):  # an object that is not whole yet
                assert "PLANTED" not in repr(value)


def test_a_class_that_conceals_works_as_before() -> None:
    assert Token("text").text == Token(text="text", lifetime=5).text == "text"
    provider = IdentityProvider(token_url="https://x/oauth/token", client_id="c", client_secret="PLANTED")
    assert evolve(provider, client_id="d").client_secret == Secret("PLANTED")
    assert "client_secret" in inspect.signature(IdentityProvider).parameters
