"""Watching runs: what polling sees, and the transitions in it."""

from ._transitions import Change

__all__ = ["Change"]
