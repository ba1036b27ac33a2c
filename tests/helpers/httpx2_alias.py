"""A pytest plugin: whatever imports httpx in this process gets httpx2, its successor.

PYTHONPATH=tests/helpers python -m pytest -p httpx2_alias
"""

from __future__ import annotations

import sys

import httpx2

httpx2.alias_httpx()


def pytest_report_header() -> str:
    """Say which one the tests get."""
    return f"httpx is {sys.modules['httpx'].__name__} {httpx2.__version__}"
