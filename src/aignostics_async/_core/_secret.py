"""A text that shows nowhere by accident."""

from __future__ import annotations

import hmac
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, Self, SupportsIndex, TypeVar

from attrs import fields

T = TypeVar("T")


class Secret:
    """A token, code, password or signed URL that can be sent but is never shown.

        secret = Secret("text")
        print(secret)  # Secret(...)
        secret.reveal()  # "text"

    The text appears in no repr, log record, `attrs.asdict` or traceback variable. Only `reveal` returns it,
    so every use can be found. Secrets compare by text, in constant time. Pickling one raises TypeError.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text. Keep it out of logs and errors."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled; make it where it is used")


class SecretText(str):
    """A text that its repr does not show: a signed URL, or a header that may be a credential.

    It is used like any other text. What collects the variables of a traceback shows their repr.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "SecretText(...)"

    def __getitem__(self, key: SupportsIndex | slice) -> SecretText:
        # Tools cut long texts before they show them.
        return SecretText(super().__getitem__(key))


def conceals(name: str, hide: Callable[[Any], Any]) -> Callable[[type[T]], type[T]]:
    """Let an attrs class hide an argument before its constructor sees it.

        @conceals("client_secret", as_secret)
        @frozen
        class Provider: ...

    The constructor that attrs writes keeps its arguments as they were given, and a validator that raises
    shows them to whatever collects the variables of a traceback.
    """

    def decorate(cls: type[T]) -> type[T]:
        constructed: Any = cls
        init = constructed.__init__
        positional = [each.alias for each in fields(constructed) if each.init and not each.kw_only]
        index = positional.index(name) if name in positional else sys.maxsize

        @wraps(init)
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            if name in kwargs:
                kwargs[name] = hide(kwargs[name])
            elif len(args) > index:
                args = (*args[:index], hide(args[index]), *args[index + 1 :])
            init(self, *args, **kwargs)

        constructed.__init__ = __init__
        return cls

    return decorate
