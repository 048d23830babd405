"""A process that works for this one, so that nothing it does holds up a thread here; started by the first call, and again after it died.

Pickles cross the pipe: both ends are this program. Results must be small, as reading them holds Python's lock.
"""

import itertools
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from sptrader_desktop.core.errors import MachineError
from sptrader_desktop.runtime.far_calls import Call, Logged, Raised, Reported, Returned, Stop

END_S = 2.0
# It looks for code where we do, so that it is the same; Ctrl-C is for us.
BOOT = """\
import json, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.path[:] = json.loads(sys.argv[1])
from {module} import main
main(int(sys.argv[2]))
"""
Hear = Callable[[float, str], object]
Heard = Reported | Returned | Raised | None


class FarProcess:
    """`module` has a `main` that is given our process id, reads what `first` makes as one pickle, and serves. `called` is for people."""

    def __init__(self, module: str, called: str, first: Callable[[], object]) -> None:
        self._module, self._called, self._first = module, called, first
        self._guard = threading.Lock()
        self._child: _Child | None = None

    def call(self, method: str, *arguments: object, report: Hear | None = None) -> Any:
        """Waits for the answer. What `report` raises stops the work, and is not waited for."""
        child, answers = self._running(), SimpleQueue[Heard]()
        number = child.ask(method, arguments, answers, hears=report is not None)
        try:
            while isinstance(heard := answers.get(), Reported):
                if report is not None:
                    report(heard.fraction, heard.words)
        except BaseException:
            child.stop(number)
            raise
        finally:
            child.waiting.pop(number, None)
        if heard is None:
            raise MachineError(f"{self._called} ended unexpectedly ({child.how}): close other programs if memory is short, and try again")
        if isinstance(heard, Raised):
            raise heard.error
        return heard.value

    @property
    def pid(self) -> int | None:
        with self._guard:
            return self._child.process.pid if self._child is not None and self._child.is_alive else None

    def close(self) -> None:
        """Whatever it does. It ends by itself when it is asked no more."""
        with self._guard:
            child, self._child = self._child, None
        if child is not None:
            child.close()

    def _running(self) -> "_Child":
        with self._guard:
            if self._child is None or not self._child.is_alive:
                self._child = _Child([sys.executable, "-P", "-c", BOOT.format(module=self._module)], self._first(), self._called)
            return self._child


class _Child:
    def __init__(self, command: list[str], first: object, called: str) -> None:
        self.waiting: dict[int, SimpleQueue[Heard]] = {}
        self.how = ""
        self._numbers, self._guard = itertools.count(), threading.Lock()
        self._command, started = [*command, json.dumps(sys.path), str(os.getpid())], SimpleQueue[OSError | None]()
        self._reader = threading.Thread(target=self._live, args=(started,), name=called, daemon=True)
        self._reader.start()
        if (error := started.get()) is not None:
            raise MachineError(f"{called} could not be started ({error.strerror or error}): end other programs and try again") from error
        self._say(first)

    @property
    def is_alive(self) -> bool:
        return not self.how

    def ask(self, method: str, arguments: tuple[object, ...], answers: "SimpleQueue[Heard]", *, hears: bool) -> int:
        number = next(self._numbers)
        self.waiting[number] = answers
        self._say(Call(number, method, arguments, hears))
        if not self.is_alive:
            answers.put(None)  # it ended before it could be asked
        return number

    def stop(self, number: int) -> None:
        self._say(Stop(number))

    def close(self) -> None:
        with suppress(OSError):
            self._stdin.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._reader.join(END_S)

    def _say(self, what: object) -> None:
        content = pickle.dumps(what)
        with self._guard:
            try:
                self._stdin.write(content)
                self._stdin.flush()
            except (OSError, ValueError):  # it ended: the reader tells whoever waits
                return

    def _live(self, started: "SimpleQueue[OSError | None]") -> None:
        """In a thread that lives as long as it does, as Linux ends it with the thread that started it."""
        try:
            self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            self.how = "it never began"
            started.put(error)
            return
        assert self.process.stdin is not None, "it was asked for"
        assert self.process.stdout is not None, "it was asked for"
        self._stdin = self.process.stdin
        started.put(None)
        with self.process, self.process.stdout as answers:
            try:
                while True:
                    self._heard(pickle.load(answers))
            except (EOFError, OSError, pickle.UnpicklingError):
                self.process.kill()
        self.how = f"exit {self.process.returncode}"
        for waiting in list(self.waiting.values()):
            waiting.put(None)

    def _heard(self, heard: "Logged | Reported | Returned | Raised") -> None:
        if isinstance(heard, Logged):
            logging.getLogger(heard.name).log(heard.level, "%s", heard.text)
        elif (waiting := self.waiting.get(heard.number)) is not None:
            waiting.put(heard)
