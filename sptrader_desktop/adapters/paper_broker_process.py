"""Finds the paper broker of a folder running, or starts it so that it outlives this program, and again when it has died."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.adapters.broker_line_values import BrokerLineError
from sptrader_desktop.adapters.broker_lines import answer_in, line_of
from sptrader_desktop.adapters.embedded_server import socket_folder
from sptrader_desktop.adapters.json_paper_terms import terms_text, write_terms
from sptrader_desktop.core.broker_messages import Hello, Refused, Welcome
from sptrader_desktop.core.errors import DataError, GivenUpError, MachineError
from sptrader_desktop.runtime.live.clock import Clock
from sptrader_desktop.runtime.live.paper_terms import PaperTerms
from sptrader_desktop.runtime.live.restart_intensity import MOST, RestartIntensity
from sptrader_desktop.settings import Settings

MODULE = "sptrader_desktop.paper_broker"
PATIENCE_S = 300.0  # the first start compiles the rules, and a busy computer takes its time
ANSWERS_IN_S = 5.0
LOOK_S = 0.02
LONGEST_SOCKET = 100  # bytes; macOS takes 103, Linux 107
LAST_WORDS = 2000
TAKEN = 3  # the exit code of one that finds another at work
_STARTED: "list[subprocess.Popen[bytes]]" = []  # they outlive this program, which reaps those that end before


@dataclass(frozen=True, slots=True)
class BrokerPlaces:
    """Of one account, in a folder of its own."""

    folder: Path
    terms: Path
    ledger: Path
    socket: Path
    log: Path


def places_in(folder: Path, settings: Settings) -> BrokerPlaces:
    path = folder / "broker.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET:
        path = socket_folder(settings.sockets, folder, "the paper broker") / "broker.sock"
    return BrokerPlaces(folder, folder / "terms.json", folder / "ledger.sqlite3", path, folder / "broker.log")


def use_paper_broker(places: BrokerPlaces, terms: PaperTerms, options: tuple[str, ...] = ()) -> Welcome:
    """Once it has answered. One that runs already reads new terms when it is greeted."""
    try:
        if not places.terms.exists() or places.terms.read_text(encoding="utf-8") != terms_text(terms):
            write_terms(places.terms, terms)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{places.terms}: the paper broker's terms cannot be kept there ({error}): make room, or get the right to"
        ) from None
    welcome = _greeted(places, terms.account)
    if welcome is not None:
        return welcome
    process = _started(places, options)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        has_failed = process.poll() not in {None, TAKEN}  # asked first: what it did before it ended is found then
        welcome = _greeted(places, terms.account)
        if welcome is not None:
            return welcome
        if has_failed:
            raise DataError(f"{places.folder}: the paper broker does not start ({_last_words(places.log)})")
        time.sleep(LOOK_S)
    raise DataError(f"{places.folder}: the paper broker was started and does not answer: see {places.log}")


class KeptPaperBroker:
    """Its books outlive it, so it goes on where it was. `told` hears that it was started again."""

    def __init__(self, places: BrokerPlaces, account: str, clock: Clock, told: Callable[[str], object]) -> None:
        self._places, self._account, self._clock, self.told = places, account, clock, told
        self._restarts = RestartIntensity(clock)

    async def ready(self) -> None:
        """MachineError where there is none now, GivenUpError where it dies again and again."""
        try:
            if await self._answers():
                return
            if not self._restarts.allows():
                raise GivenUpError(
                    f"{self._places.folder}: the paper broker has died {MOST} times within a minute ({_last_words(self._places.log)})"
                )
            self.told("the paper broker has ended: it is started again")
            await self._start()
        except DataError as error:
            raise MachineError(str(error)) from None

    async def _start(self) -> None:
        process = await asyncio.to_thread(_started, self._places, ())
        until = self._clock.monotonic() + PATIENCE_S
        while self._clock.monotonic() < until:
            has_failed = process.poll() not in {None, TAKEN}
            if await self._answers():
                return
            if has_failed:
                raise MachineError(f"{self._places.folder}: the paper broker does not start ({_last_words(self._places.log)})")
            await self._clock.sleep(LOOK_S)
        raise MachineError(f"{self._places.folder}: the paper broker was started and does not answer: see {self._places.log}")

    async def _answers(self) -> bool:
        return await asyncio.to_thread(_greeted, self._places, self._account) is not None


def _started(places: BrokerPlaces, options: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", MODULE, str(places.folder), *options]
    try:
        with places.log.open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    except OSError as error:
        raise DataError(f"{places.folder}: the paper broker cannot be started ({error.strerror}): make room, or get the right to") from None
    for each in (*_STARTED,):
        each.poll()
    _STARTED.append(process)
    return process


def _greeted(places: BrokerPlaces, account: str) -> Welcome | None:
    """None where nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(ANSWERS_IN_S)
        try:
            sock.connect(os.fspath(places.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        try:
            sock.sendall(line_of(Hello(account, 0)))
            with sock.makefile("rb") as lines:
                answer = answer_in(lines.readline())
        except (OSError, BrokerLineError) as error:
            raise DataError(f"{places.socket}: the paper broker does not answer as it should ({error}): end it, then try again") from None
    if isinstance(answer, Welcome):
        return answer
    why = answer.why if isinstance(answer, Refused) else "it did not say hello"
    raise DataError(f"{places.folder}: the paper broker refuses ({why}): trade with the account it has, or name another folder")


def _last_words(log: Path) -> str:
    said = b""
    with suppress(OSError):
        said = log.read_bytes()[-LAST_WORDS:]
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
