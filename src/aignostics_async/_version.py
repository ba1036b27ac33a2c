"""The version, and how the package names itself to servers."""

import platform

__version__ = "0.1.0"


def user_agent(prefix: str) -> str:
    """Return the user agent: what the settings put in front, the package, the interpreter."""
    return f"{prefix} aignostics-async/{__version__} python/{platform.python_version()}".strip()
