"""A secret can be sent and compared, and shows nowhere."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest
from attrs import asdict, frozen

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
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a")
    assert not Secret("")
