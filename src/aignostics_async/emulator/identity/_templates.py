"""The HTML templates in `templates/`."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).with_name("templates")


class Markup(str):
    """Text that is HTML already and is not escaped."""

    __slots__ = ()


def render(template: str, /, **values: str) -> Markup:
    """Return a template with its placeholders replaced; every value but Markup is escaped.

    Raises KeyError for a placeholder without a value.
    """
    safe = {key: value if isinstance(value, Markup) else escape(value) for key, value in values.items()}
    return Markup(_template(template).substitute(safe))


@cache
def _template(name: str) -> Template:
    return Template((_FOLDER / f"{name}.html").read_text(encoding="utf-8"))
