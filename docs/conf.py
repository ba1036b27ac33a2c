"""How Sphinx builds this documentation: `make docs` writes it to build/docs, and fails on any warning."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from aignostics_async import __version__

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from reference_pages import write_pages

project = "aignostics-async"
author = "the authors of aignostics-async"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]

html_theme = "furo"
html_title = f"aignostics-async {__version__}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "show-inheritance": True}
# Options begin with two hyphens, and what is quoted is to be copied.
smartquotes = False
# A word between single backticks is code in the docstrings, which are written for `help()` and editors.
default_role = "code"
python_use_unqualified_type_names = True

_PAGE = re.compile(r"`?\bdocs/([\w/-]+)\.md`?")
_INDENTED = re.compile(r"^ {4,}\S")


def mark_code(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Mark the indented paragraphs of a docstring as code, and the pages that it names as links."""
    marked: list[str] = []
    in_code = False
    for line in lines:
        is_code = bool(_INDENTED.match(line)) and (in_code or not marked or not marked[-1].strip())
        if is_code and not in_code:
            marked += [".. code-block:: python", ""]
        in_code = is_code or (in_code and not line.strip())
        marked.append(line if in_code else _PAGE.sub(r":doc:`docs/\1.md </\1>`", line))
    lines[:] = marked


def setup(app: Sphinx) -> None:
    """Register what the configuration adds to Sphinx."""
    write_pages(Path(app.srcdir))
    app.connect("autodoc-process-docstring", mark_code)
