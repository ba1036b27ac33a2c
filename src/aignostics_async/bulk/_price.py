"""The price of an item, as the user gives it: the platform tells none."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from ..errors import ConfigurationError

_MAX = Decimal(10) ** 9
_MAX_CURRENCY = 8  # characters


def as_price(value: Decimal | float | str | None) -> Decimal | None:
    """Return a price, exactly as it is written; raises ConfigurationError."""
    if value is None:
        return None
    try:
        price = Decimal(str(value))
        if isinstance(value, bool) or not 0 <= price < _MAX:
            raise ValueError
    except (InvalidOperation, ValueError):
        raise ConfigurationError(f"price is the price of an item, such as 12.50, not {value!r}") from None
    return price


def check_currency(_plan: object, _attribute: Any, value: Any) -> None:
    """Raise ConfigurationError for what names no currency."""
    is_name = isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= _MAX_CURRENCY
    if value is not None and not is_name:
        raise ConfigurationError(f"currency is a short name such as EUR, not {value!r}")
