"""Waiting for a server in a way that can be given up at once: whoever does not answer is left alone, and what it says later is nobody's."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from sptrader_desktop.core.errors import RunError, SptraderError

T = TypeVar("T")
HEED_S = 0.1


def heeded(work: Callable[[], T], heed: Callable[[], object]) -> T:
    """`heed` is called again and again and may raise; the thread is no reason for the program not to end."""
    answer: Future[T] = Future()
    asking = threading.Thread(target=_answered, args=(work, answer), name="asking a source", daemon=True)
    asking.start()
    while asking.is_alive():
        heed()
        asking.join(HEED_S)
    if not answer.done():
        raise RunError("the candles could not be read because of a defect, which the log tells")
    return answer.result()


def _answered(work: Callable[[], T], answer: "Future[T]") -> None:
    try:
        answer.set_result(work())
    except (SptraderError, OSError) as error:
        answer.set_exception(error)
