"""The states of items and intents, and which may follow which. Pure.

An *item* is one slide, from its local file to its local results. An *intent* is one chunk of items that
becomes exactly one run. It is written to disk before the request is sent, and its state decides what may be
done next:

             request is written          201 with an id
    SEALED ---------------------> SENDING -------------> CREATED <----> CLOSED
      ^                              |  |                   ^   all items final;
      |  not sent, or "try later"    |  | reply is lost     |   an output is fetched again
      +------------------------------+  v                   |
      |  proof that there is no run   UNKNOWN --------------+  the run is found
      +---------------------------------+                   |
      |                                 | undecidable       |
      |  a person decides               v                   |
      +----------------------------- AMBIGUOUS -------------+  a person decides

Not shown: SEALED becomes CREATED if the platform turns out to have its run. Every state before CREATED
becomes DISSOLVED if the request is refused, or if its items belong to other runs.
"""

from __future__ import annotations

from enum import StrEnum


class ItemState(StrEnum):
    """The state of an item in its job, as `BulkJob.states` and `Summary.states` count items by it.

        states = await job.states()
        print(states.get(ItemState.DONE, 0), "items are done")

    An item usually passes through FOUND, READY, SENDING, STORED, ASSIGNED, SUBMITTED and SUCCEEDED to DONE,
    and may be sent back on the way. It may end as FAILED or QUARANTINED instead. The values are the names,
    except `"SET_ASIDE"` for QUARANTINED; JSON and CSV reports have the values.
    """

    FOUND = "FOUND"
    """The item is in the job, and its file is still to be read."""
    READY = "READY"
    """Size and resolution of the slide are known, and its metadata fits the application."""
    SENDING = "SENDING"
    """The slide's object has a key, and its upload may have begun."""
    STORED = "STORED"
    """The slide is in the object store, with its checksum."""
    ASSIGNED = "ASSIGNED"
    """The item belongs to a chunk that has no run yet."""
    SUBMITTED = "SUBMITTED"
    """The item belongs to a run."""
    SUCCEEDED = "SUCCEEDED"
    """The platform has results of the item."""
    DONE = "DONE"
    """Final, unless `verify` finds a file missing or changed: every output is downloaded, and verified if a
    checksum was promised.
    """
    FAILED = "FAILED"
    """Final until a retry: the platform ended the item without results."""
    QUARANTINED = "SET_ASIDE"
    """Final until a retry, or until a run of it is adopted: the item is held back, and its fault says why."""

    @property
    def is_final(self) -> bool:
        """Whether the state is a final one: DONE, FAILED or QUARANTINED."""
        return self in _FINAL


_FINAL = frozenset({ItemState.DONE, ItemState.FAILED, ItemState.QUARANTINED})


class IntentState(StrEnum):
    """What is known about the run of one chunk."""

    SEALED = "SEALED"
    """Its items are fixed, and no request for it is under way: one may be sent."""
    SENDING = "SENDING"
    """A request for it was written down, and may have been sent."""
    UNKNOWN = "UNKNOWN"
    """A request for it may have created a run. None is sent before that is known."""
    AMBIGUOUS = "AMBIGUOUS"
    """A person has to decide: several runs match, or it is not known whether there is one."""
    CREATED = "CREATED"
    """It has its run."""
    CLOSED = "CLOSED"
    """All its items are final."""
    DISSOLVED = "DISSOLVED"
    """It gets no run: it was refused, or its items belong to another one. They continue without it."""


class AttemptOutcome(StrEnum):
    """The outcome of a request for a run. What is not listed elsewhere is UNKNOWN."""

    CREATED = "CREATED"
    """The platform named the run."""
    NOT_SENT = "NOT_SENT"
    """No connection was made."""
    REFUSED = "REFUSED"
    """The platform refused this request, and said why."""
    LATER = "LATER"
    """The platform asks to send it later: too many requests."""
    UNAUTHORIZED = "UNAUTHORIZED"
    """The platform did not accept the token; it may have just expired, and a newer one may do."""
    STOP = "STOP"
    """The platform refuses every request of this job until a person changes something."""
    UNKNOWN = "UNKNOWN"
    """It may have created a run."""


_ITEMS: dict[ItemState, frozenset[ItemState]] = {
    ItemState.FOUND: frozenset({ItemState.READY, ItemState.QUARANTINED}),
    ItemState.READY: frozenset({ItemState.FOUND, ItemState.SENDING, ItemState.QUARANTINED}),
    ItemState.SENDING: frozenset({ItemState.FOUND, ItemState.STORED, ItemState.QUARANTINED}),
    ItemState.STORED: frozenset({ItemState.FOUND, ItemState.ASSIGNED, ItemState.QUARANTINED}),
    ItemState.ASSIGNED: frozenset({ItemState.STORED, ItemState.SUBMITTED, ItemState.QUARANTINED}),
    ItemState.SUBMITTED: frozenset({ItemState.SUCCEEDED, ItemState.FAILED, ItemState.QUARANTINED}),
    ItemState.SUCCEEDED: frozenset({ItemState.DONE, ItemState.QUARANTINED}),
    ItemState.DONE: frozenset({ItemState.SUCCEEDED}),  # `verify` found an output gone or changed
    ItemState.FAILED: frozenset({ItemState.FOUND, ItemState.STORED}),  # `retry`, which pays again
    ItemState.QUARANTINED: frozenset(
        # `retry`, and files that were on their way when their run vanished
        {ItemState.FOUND, ItemState.STORED, ItemState.SUCCEEDED, ItemState.DONE}
    ),
}

_INTENTS: dict[IntentState, frozenset[IntentState]] = {
    IntentState.SEALED: frozenset({IntentState.SENDING, IntentState.CREATED, IntentState.DISSOLVED}),
    IntentState.SENDING: frozenset(
        {IntentState.CREATED, IntentState.SEALED, IntentState.UNKNOWN, IntentState.DISSOLVED}
    ),
    IntentState.UNKNOWN: frozenset(
        {IntentState.CREATED, IntentState.SEALED, IntentState.AMBIGUOUS, IntentState.DISSOLVED}
    ),
    IntentState.AMBIGUOUS: frozenset({IntentState.CREATED, IntentState.SEALED, IntentState.DISSOLVED}),
    IntentState.CREATED: frozenset({IntentState.CLOSED}),
    IntentState.CLOSED: frozenset({IntentState.CREATED}),  # an output has to be downloaded again
    IntentState.DISSOLVED: frozenset(),
}

ADOPTABLE = (
    ItemState.FOUND,
    ItemState.READY,
    ItemState.SENDING,
    ItemState.STORED,
    ItemState.ASSIGNED,
    ItemState.QUARANTINED,
)
"""States from which an item becomes SUBMITTED where the platform turns out to have a run of it."""

_BEFORE_ITEM = {state: tuple(old for old, after in _ITEMS.items() if state in after) for state in ItemState}
_BEFORE_INTENT = {
    state: tuple(old for old, after in _INTENTS.items() if state in after) for state in IntentState
}


def before(state: ItemState | IntentState) -> tuple[ItemState, ...] | tuple[IntentState, ...]:
    """Return the states that may come just before one."""
    # By type, since states of the two may be equal as texts.
    return _BEFORE_ITEM[state] if isinstance(state, ItemState) else _BEFORE_INTENT[state]
