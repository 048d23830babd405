"""What passes between a window and a process that works for it: calls by number, and what becomes of each; and the serving end of it."""

import io
import logging
import pickle
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sptrader_desktop.core.errors import Cancelled
from sptrader_desktop.runtime.own_connection import say_all


@dataclass(frozen=True, slots=True)
class Call:
    """`hears` says whether the method takes a report as its last argument."""

    number: int
    method: str
    arguments: tuple[Any, ...]
    hears: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """Heard when the call reports the next time."""

    number: int


@dataclass(frozen=True, slots=True)
class Reported:
    number: int
    fraction: float
    words: str


@dataclass(frozen=True, slots=True)
class Returned:
    number: int
    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    number: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class Logged:
    name: str
    level: int
    text: str


Say = Callable[[object], None]


def serve(target: object, asked: io.BufferedReader, answers: int) -> None:
    """Until nobody asks any more. Each call has a thread of its own."""
    guard, stopped = threading.Lock(), set[int]()

    def say(what: object) -> None:
        content = pickle.dumps(what)
        with guard:
            say_all(answers, content)

    logging.getLogger().addHandler(_LogTo(say))
    logging.getLogger().setLevel(logging.INFO)
    while True:
        try:
            heard = pickle.load(asked)
        except EOFError:
            return
        if isinstance(heard, Stop):
            stopped.add(heard.number)
        else:
            threading.Thread(target=_perform, args=(target, heard, say, stopped), name=heard.method, daemon=True).start()


def _perform(target: object, call: Call, say: Say, stopped: set[int]) -> None:
    reports = (partial(_report, call, say, stopped),) if call.hears else ()
    try:
        say(Returned(call.number, getattr(target, call.method)(*call.arguments, *reports)))
    except BaseException as error:  # noqa: BLE001 - the process's edge: whoever asked is told, whatever it was
        say(Raised(call.number, _portable(error)))


def _report(call: Call, say: Say, stopped: set[int], fraction: float, words: str = "") -> None:
    if call.number in stopped:
        raise Cancelled("stopped on request")
    say(Reported(call.number, fraction, words))


def _portable(error: BaseException) -> BaseException:
    """With where it was raised, which does not come along by itself."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - anybody's error, made in any way
        return RuntimeError("\n".join(error.__notes__))
    return error


class _LogTo(logging.Handler):
    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(Logged(record.name, record.levelno, self.format(record)))
