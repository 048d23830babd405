"""What a person asks of a live session, checked before it is written down: a fact that makes no sense would be applied at each restart."""

from collections.abc import Callable
from typing import Any, Protocol

from sptrader_desktop.core.account_commands import PAUSED
from sptrader_desktop.core.broker_messages import Place
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.core.live_account import EVERY
from sptrader_desktop.core.live_book import number_in
from sptrader_desktop.core.orders import OrderState
from sptrader_desktop.core.risk_tree import NodeLimits, tightest
from sptrader_desktop.runtime.live.clock import Clock
from sptrader_desktop.runtime.live.command import WORDS, Command
from sptrader_desktop.runtime.live.core import LiveCore

PATIENCE_S, LOOK_S = 10.0, 0.1
CANCELLABLE = frozenset({OrderState.SENT, OrderState.OPEN, OrderState.PARTIALLY_FILLED})


class Guard(Protocol):
    """Whoever holds the gate to the broker."""

    async def stop(self, by: str, *, flatten: bool) -> Any: ...

    async def rearm(self, by: str) -> Any: ...


class Commands:
    """`read_limits` gives those that a person wrote, as they are written now; SptraderError where they cannot be read."""

    def __init__(self, core: LiveCore, guard: Guard, clock: Clock, read_limits: Callable[[], tuple[NodeLimits, ...]] | None = None) -> None:
        self._core, self._guard, self._clock = core, guard, clock
        self._read_limits = read_limits or (lambda: core.limits)

    async def obey(self, asked: Command) -> None:
        """SptraderError says why not, and nothing was done."""
        match asked.what:
            case "pause" | "resume":
                self._known_symbol(asked.about)
                self._only_paused(asked)
                self._core.command(asked.what, asked.about, asked.by)
            case "close":
                self._open_position(asked.about)
                self._core.command("close", asked.about, asked.by)
            case "cancel":
                self._working_order(asked.about)
                self._core.command("cancel", asked.about, asked.by)
            case "flatten":
                self._core.command("flatten", "", asked.by)
            case "restart_service":
                await self._restart(asked.about)
            case "stop":
                self._core.end()
            case "emergency_stop":
                await self._guard.stop(asked.by, flatten=asked.about == "flatten")
            case "rearm":
                await self._rearm(asked)
            case _:
                raise SptraderError(f"{asked.what} is no command; these are: {', '.join(WORDS)}")

    async def _restart(self, about: str) -> None:
        symbol, _, service = about.partition(" ")
        self._known_symbol(symbol)
        if service and not symbol:
            raise SptraderError(f"{service} of which symbol: name it first, as in {next(iter(self._core.symbols))} {service}")
        self._heed_limits(is_rearmed=False)
        if service:
            await self._core.orchestrator.orchestrators[symbol].restart_service(service)
        else:
            await self._core.orchestrator.restart(symbol or None)

    async def _rearm(self, asked: Command) -> None:
        """The gate first: where it cannot be opened the account stays halted too. Where the broker's books differ it must tell them.

        A symbol was barred by the account alone.
        """
        self._known_symbol(asked.about)
        if asked.about:
            self._halted_symbol(asked.about)
            self._core.command("rearm", asked.about, asked.by)
            return
        await self._guard.rearm(asked.by)
        self._heed_limits(is_rearmed=True)
        self._core.command("rearm", "", asked.by)
        until = self._clock.monotonic() + PATIENCE_S
        while self._core.engine.account.mismatch and self._clock.monotonic() < until:
            await self._clock.sleep(LOOK_S)
        if self._core.engine.account.mismatch:
            raise SptraderError(
                f"the broker has not told within {PATIENCE_S:g} s what it holds, and its books and ours differ: entries stay barred; "
                "see its connection, then re-arm again"
            )

    def _heed_limits(self, *, is_rearmed: bool) -> None:
        """What is tighter now holds at once; what is looser waits for a person who re-arms."""
        try:
            wanted = self._read_limits()
        except SptraderError as error:
            self._core.alarm(f"the limits stay as they were: {str(error).partition(chr(10))[0]}")
            return
        taken = wanted if is_rearmed else tightest(self._core.engine.account.limits.tree.limits, wanted)
        self._core.limits_wait = set(taken) != set(wanted)
        if self._core.limits_wait:
            self._core.alarm("limits that are looser in services.yaml now wait until a person re-arms; what is tighter holds")
        self._core.limit(taken)

    def _known_symbol(self, symbol: str) -> None:
        if symbol and symbol not in self._core.symbols:
            raise SptraderError(f"{symbol} is not traded in this session: it trades {', '.join(self._core.symbols)}")

    def _only_paused(self, asked: Command) -> None:
        why = self._core.engine.account.barred.get(asked.about or EVERY, "")
        if asked.what == "resume" and why and not why.startswith(PAUSED):
            raise SptraderError(f"this is no pause that could end: {why}; see what happened, then re-arm")

    def _halted_symbol(self, symbol: str) -> None:
        barred = self._core.engine.account.barred
        why, whole = barred.get(symbol, ""), barred.get(EVERY, "")
        if why.startswith(PAUSED):
            raise SptraderError(f"{symbol} is only {why}: resume it")
        if not why:
            so = f"the account is ({whole}): re-arm without a symbol" if whole else "nothing of it waits for a person"
            raise SptraderError(f"{symbol} itself is not halted; {so}")

    def _open_position(self, about: str) -> None:
        if self._core.engine.account.book.position(number_in(about)) < 0:
            raise SptraderError(f"position {about} is not open: it may have been closed meanwhile")

    def _working_order(self, about: str) -> None:
        life = self._core.engine.account.lives.get(about)
        if life is None or not isinstance(life.request, Place) or life.state not in CANCELLABLE:
            raise SptraderError(f"order {about} does not work any more: it may have been filled or cancelled meanwhile")
