"""What to do about an item that is not done, where the one who wrote down its fault did not say. Pure."""

from __future__ import annotations

from ...models import ItemStatus
from ._audit import Account

_AGAIN = "'bulk retry --failed' submits it again, as a part of a new run that is paid for"
_BY_STATUS = {
    ItemStatus.ERROR_USER: f"Mend the slide by what the platform says; then {_AGAIN}.",
    ItemStatus.ERROR_SYSTEM: f"The platform failed, not the slide: {_AGAIN}. If it lasts, tell the "
    "platform's support the ids of the run and the item.",
    ItemStatus.CANCELED_USER: f"Somebody cancelled its run. If it is still wanted, {_AGAIN}.",
    ItemStatus.CANCELED_SYSTEM: "The platform cancelled its run, as it does when too many of a run's items "
    f"fail. Look at what failed beside it; then {_AGAIN}.",
}
_BY_ACCOUNT = {
    Account.FAILED: f"Ask the platform's support about the ids of the run and the item; {_AGAIN}.",
    Account.SET_ASIDE: "Mend what it says; then 'bulk retry' takes it up where it was.",
    Account.LOST: "Keep the job's folder as it is, and report this with it: it is no fault of the slide.",
}


def remedy(account: Account, status: str | None, given: str | None) -> str | None:
    """Return what to do about an item; None where nothing has to be done."""
    if not account.is_trouble:
        return None
    if given and account is not Account.LOST:
        return given
    if account is Account.FAILED and status is not None:
        return _BY_STATUS.get(ItemStatus(status), _BY_ACCOUNT[account])
    return _BY_ACCOUNT[account]
