"""The Live page's desk: the live session's control socket, the guardian's, and the program that is started beside the window."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sptrader_desktop.adapters.core_control import CoreClient
from sptrader_desktop.adapters.guardian_watch import GuardianWatch
from sptrader_desktop.core.errors import DataError, RunError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.guardian import asking, stopping
from sptrader_desktop.guardian.places import GuardianError, Places, live_places
from sptrader_desktop.runtime.live.command import LONGEST
from sptrader_desktop.settings import CHECKOUT, Settings
from sptrader_desktop.ui.live.live_desk import Told

WHERE = "in the window"
LIVE = "SPTRADER_LIVE"
LOG = "live-session.log"
NOWHERE: dict[str, Any] = {"gate": None, "latch": None, "heartbeats": {}, "broker": None, "stop": None, "hot_key": None}
LOOK_S = 0.1
LAST_WORDS, LAST_LINES = 2_000, 4
_STARTED: "list[subprocess.Popen[bytes]]" = []  # they outlive the window, which reaps those that end before


class WindowLiveDesk:
    def __init__(
        self, settings: Settings, strategies: Callable[[], Sequence[Path]], instruments: Callable[[], Mapping[str, Instrument]]
    ) -> None:
        self._settings, self.strategies, self._known = settings, strategies, instruments
        self._guardian: GuardianWatch | None = None

    @property
    def account(self) -> str:
        return f"paper, kept in {self._settings.live}"

    def instruments(self) -> Mapping[str, Instrument]:
        try:
            return self._known()
        except DataError:
            return CATALOGUE

    def shell_line(self, command: Sequence[str]) -> str:
        place = [f"{LIVE}={shlex.quote(str(self._settings.live))}"] if os.environ.get(LIVE) else []
        return " ".join([*place, shlex.join(["sptrader", *command])])

    async def watch(self, told: Told, left: Callable[[], None]) -> "_Watch | None":
        client = CoreClient(self._places(), told, left)
        return _Watch(client) if await client.open() else None

    async def guard(self, *, is_attached: bool) -> Mapping[str, Any]:
        if self._guardian is None:
            try:
                self._guardian = GuardianWatch(self._settings.live)
            except GuardianError as error:
                return NOWHERE | {"guardian": {"state": "silent", "says": str(error)}}
        return await self._guardian.look(is_attached=is_attached)

    async def leave_guard(self) -> None:
        if self._guardian is not None:
            await self._guardian.leave()

    def start(self, command: Sequence[str], heed: Callable[[], None]) -> None:
        """It outlives the window. One that is given up before it can be watched is ended."""
        if asking.core_state(self._places().folder) is not None:
            raise RunError("a live session runs already: it is shown here as soon as it answers")
        log = self._settings.logs / LOG
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(".log.old"))
        surroundings = os.environ | {LIVE: str(self._settings.live)}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "sptrader_desktop", *command],
                cwd=CHECKOUT,
                env=surroundings,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        _STARTED[:] = [each for each in _STARTED if each.poll() is None] + [process]
        self._await(process, log, heed)

    def _await(self, process: "subprocess.Popen[bytes]", log: Path, heed: Callable[[], None]) -> None:
        is_up = False
        try:
            while not is_up:
                if process.poll() is not None:
                    raise RunError(f"the live session does not start: {_last_words(log)}")
                heed()
                is_up = asking.core_state(self._settings.live) is not None
                time.sleep(LOOK_S)
        finally:
            if not is_up and process.poll() is None:
                process.terminate()
                process.wait()

    def emergency_stop(self, *, flatten: bool) -> str:
        try:
            answer = stopping.stop(self._settings.live, flatten=flatten, by=asking.who(WHERE))
        except GuardianError as error:
            raise RunError(str(error)) from None
        if answer is None:
            return stopping.nothing_live(self._settings.live)
        return f"Stopped: the gate is {answer['gate']['state']}, no order leaves until it is re-armed"

    def rearm(self, why: str) -> str:
        try:
            answer = asking.rearm(self._settings.live, _who(why))
        except GuardianError as error:
            raise RunError(str(error)) from None
        if answer and answer["latch"]:
            raise RunError(f"still stopped: {answer['latch']['unkept']}: make the file one that may be removed, and re-arm again")
        return "Re-armed: what starts next may trade"

    def _places(self) -> Places:
        try:
            return live_places(self._settings.live)
        except GuardianError as error:
            raise RunError(str(error)) from None


class _Watch:
    def __init__(self, client: CoreClient) -> None:
        self._client = client

    async def command(self, what: str, about: str, why: str) -> None:
        await self._client.command(what, about, _who(why))

    def ask_bars(self, symbol: str) -> None:
        self._client.ask_bars(symbol)

    async def close(self) -> None:
        await self._client.close()


def _who(why: str) -> str:
    return (f"{asking.who(WHERE)}: {why.strip()}" if why.strip() else asking.who(WHERE))[:LONGEST]


def _last_words(log: Path) -> str:
    """The problems of a strategy are a line each."""
    said = b""
    with suppress(OSError):
        said = log.read_bytes()[-LAST_WORDS:]
    lines = [line.removeprefix("sptrader: ") for line in said.decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(lines[-LAST_LINES:]) if lines else f"see {log}"
