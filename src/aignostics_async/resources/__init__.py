"""The nouns of the API and their verbs."""

from ._health import (
    Health as Health,
    health_in as health_in,
    read_health as read_health,
    refuse_if_down as refuse_if_down,
)
