"""Charts that move together: what each shows and points at is carried to a group and from it, while it is linked."""

from collections.abc import Callable
from typing import TypeVar

from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Selection

T = TypeVar("T")


def link(own: Selection, group: Selection) -> Callable[[], None]:
    """The span in view and the instant under the pointer, both ways; what is returned ends it."""
    ends = [*_both_ways(own.span, group.span), *_both_ways(own.pointed, group.pointed)]

    def unlink() -> None:
        for end in ends:
            end()

    return unlink


def follow_zone(own: Selection, group: Selection) -> Callable[[], None]:
    """Every chart reads the clock that the window reads."""
    own.zone.set(group.zone.value)
    return group.zone.watch(own.zone.set)


def _both_ways(one: Observable[T], other: Observable[T]) -> tuple[Callable[[], None], Callable[[], None]]:
    return one.watch(other.set), other.watch(one.set)
