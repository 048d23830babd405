"""The compiled stages, loaded or compiled before anybody waits for them: the first order must not be the one that compiles its way out."""

from numba import boolean, int64
from numba.types import Array

from sptrader_desktop.core import live_stages as stages

LENT = Array(int64, 2, "C")
# What each takes beside the addresses.
ACCOUNT = (
    (stages.has_room_for_instant,),
    (stages.account_opens,),
    (stages.account_hears_ranges,),
    (stages.account_marks,),
    (stages.account_decides,),
    (stages.account_ends, boolean),
    (stages.account_closes,),
    (stages.account_sees,),
    (stages.book_entry, *[int64] * 4),
    (stages.book_exit, *[int64] * 5),
    (stages.settle, *[int64] * 3),
)


def ready_account() -> None:
    """All that a live account may call."""
    for stage, *others in ACCOUNT:
        stage.compile((LENT, *others))
