"""What the guardian decides, fed with lines and times: it opens no socket and no file itself, so that every order of events can be tried.

Gate, then latch, then cancel, then flatten if asked, then verify, watching on. A lost heartbeat shuts the gate and cancels what would
enter; positions keep the stops that the broker holds.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any, Protocol

from sptrader_desktop.guardian.gate import CORE, WINDOW, Gate
from sptrader_desktop.guardian.latch import Account, Latch, new_latch
from sptrader_desktop.guardian.lines import LineError, Message, Name, text_of
from sptrader_desktop.guardian.sweep import Sweep, Terms, number_of

HEARTS = (CORE, WINDOW)
MOST_SAID = 300
NO_LONGER_WORKS = {"rejected", "filled", "closed", "cancelled", "expired"}


class Outside(Protocol):
    """What a decision does. `keep` answers what went wrong, or nothing."""

    def keep(self, latch: Latch | None) -> str: ...
    def remember(self, account: Account) -> None: ...
    def to_broker(self, message: Message) -> None: ...
    def to_core(self, message: Message) -> None: ...
    def mark(self) -> None: ...
    def is_drained(self) -> bool: ...
    def refused(self) -> int: ...


class Guard:
    """`name` makes the ids of this process its own."""

    def __init__(self, terms: Terms, outside: Outside, name: str, latch: Latch | None, account: Account | None, broker: str = "") -> None:
        self.gate = Gate(terms.silence, terms.window_silence)
        self.account, self._broker = account, broker
        self._terms, self._out, self._latch = terms, outside, latch
        self._ids = self._new_ids(name)
        self._sweep: Sweep | None = None
        self._working: set[str] = set()
        self._number = account.since if account else 0
        self._is_connected = False
        self._unkept = self._refused = ""
        self._shut_ns = 0
        if latch is not None:
            self._number = min(self._number, latch.since) if latch.closes else self._number
            self.gate.stop()
            self._sweep = self._new_sweep(flatten=latch.flatten, closes=latch.closes)

    # The core's lines

    def core_hello(self, message: Message, now: float) -> None:
        """Its hello went through; from here on the gate is open if nothing else keeps it shut."""
        account = Account(text_of(message, "account"), number_of({"n": message.get("since")}), self._broker)
        if account != self.account:
            if self.account is None or account.name != self.account.name:
                self._number = account.since
                self._working.clear()
            self.account = account
            self._out.remember(account)
        self.gate.hello(now)
        if self.gate.is_open:
            self._sweep = None
        self._tell_core()

    def core_gone(self) -> None:
        self.gate.disconnect()

    # Control

    def control(self, message: Message, now: float, now_ns: int) -> Message:
        match message:
            case {"do": "heartbeat", "from": str(who)} if who in HEARTS:
                self._beat(who, now)
                return {"is": "heartbeat", "gate": self._word(), "why": self.gate.reasons()}
            case {"do": "goodbye", "from": str(who)} if who in HEARTS:
                self.gate.leave(who)
                return {"is": "goodbye"}
            case {"do": "stop", "flatten": bool(flatten), "by": str(by)}:
                self._stop(by, now, now_ns, flatten=flatten)
                return self.status(now)
            case {"do": "rearm", "by": str()}:
                self._rearm()
                return self.status(now)
            case {"do": "status"}:
                return self.status(now)
        raise LineError("the guardian knows heartbeat, goodbye, stop, rearm and status, each with all of its keys")

    def _beat(self, who: str, now: float) -> None:
        was = self.gate.reasons()
        self.gate.beat(who, now)
        if self.gate.reasons() != was:
            self._tell_core()

    def _stop(self, by: str, now: float, now_ns: int, *, flatten: bool) -> None:
        self.gate.stop()
        self._out.mark()
        if self._latch is None:
            self._shut_ns = now_ns
            self._latch = new_latch(by, flatten=flatten)
        elif flatten and not self._latch.flatten:
            self._latch = new_latch(by, flatten=True)
        self._start_or_renew(now, flatten=flatten)
        self._act(now)  # the broker answers while the disk is busy
        self._keep()
        self._tell_core()

    def _rearm(self) -> None:
        if self._latch is not None:
            self._unkept = self._out.keep(None)
            if self._unkept:
                return
            self._latch = None
            self._sweep = None
        self.gate.rearm()
        self._tell_core()

    # The guardian's own connection to the broker

    def broker_connected(self) -> None:
        if self.account is not None:
            self._out.to_broker({"do": "hello", "account": self.account.name, "since": self._number})

    def broker_lost(self) -> None:
        self._is_connected = False
        if self._sweep:
            self._sweep.lost()

    def broker_line(self, message: Message, now: float) -> None:
        match message.get("is"):
            case "hello":
                self._is_connected, self._refused = True, ""
                self._number = min(self._number, number_of(message))  # a ledger that begins anew begins at nothing
                if self._sweep:
                    self._sweep.connected(now, self._number)
            case "refused" if not self._is_connected:
                self._refused = str(message.get("why"))[:MOST_SAID]
                self._number = 0  # its ledger may have begun anew: next time everything is asked for
            case "transaction":
                self._number = max(self._number, number_of(message))
                self._follow(message)
                if self._sweep:
                    self._sweep.transaction(message, now)
            case "snapshot" if self._sweep:
                self._send(self._sweep.snapshot(message, now))
        self._act(now)

    def _follow(self, message: Message) -> None:
        """A rough count for the time in which the broker cannot be asked."""
        if message.get("what") == "accepted" and isinstance(message.get("id"), str):
            self._working.add(message["id"])
        elif message.get("what") in NO_LONGER_WORKS:
            self._working -= {key for key in (message.get("id"), message.get("order")) if isinstance(key, str)}

    # Time

    def tick(self, now: float, now_ns: int) -> None:
        was_open = self.gate.is_open
        if self.gate.watch(now):
            self._shut_ns = now_ns if was_open else self._shut_ns
            self._out.mark()
            self._start_or_renew(now, flatten=False)
            self._tell_core()
        if self._unkept:
            self._keep()
        self._act(now)

    def is_idle(self, now: float) -> bool:
        """Nobody is watched and nothing is left to do; a latch stays on disk."""
        is_done = self._sweep is None or self._sweep.is_over(now) or self.account is None
        return is_done and not self._unkept and not (self.gate.watched(now).keys() - self.gate.silent)

    def _act(self, now: float) -> None:
        if self._sweep:
            self._sweep.drained(now, is_drained=self._out.is_drained())
            self._send(self._sweep.actions(now))

    def _send(self, messages: list[Message]) -> None:
        """A close is on disk before it is on its way, so that nobody who comes after sends it a second time."""
        if self._latch is not None and self._sweep and any(message["do"] == "close" for message in messages):
            self._keep()
        for message in messages:
            self._out.to_broker(message)

    def _keep(self) -> None:
        """A disk that refuses keeps nothing from being cancelled or closed; it is tried again and told."""
        if self._latch is not None:
            closes, since = (self._sweep.closes(), self._number) if self._sweep else ({}, 0)
            if closes.keys() & self._latch.closes.keys():
                since = self._latch.since  # from there on everything is heard again that was said of them
            self._latch = Latch(self._latch.at, self._latch.by, self._latch.flatten, since, closes)
            self._unkept = self._out.keep(self._latch)

    def _start_or_renew(self, now: float, *, flatten: bool) -> None:
        if self._sweep:
            self._sweep.again(now, flatten=flatten)
            return
        self._sweep = self._new_sweep(flatten=flatten, closes={})
        if self._is_connected:
            self._sweep.connected(now, self._number)

    def _new_sweep(self, *, flatten: bool, closes: dict[str, Name]) -> Sweep:
        return Sweep(self._terms, lambda: next(self._ids), flatten=flatten, closes=closes, since=self._number)

    def _tell_core(self) -> None:
        self._out.to_core({"is": "gate", "open": self.gate.is_open, "why": self.gate.reasons()})

    def _new_ids(self, name: str) -> Iterator[str]:
        return (f"guardian-{name}-{number}" for number in count(1))

    def _word(self) -> str:
        return "open" if self.gate.is_open else "shut"

    # Status

    def status(self, now: float) -> Message:
        return {
            "is": "status",
            "gate": {"state": self._word(), "why": self.gate.reasons(), "shut_ns": self._shut_ns, "refused": self._out.refused()},
            "latch": self._latch and {"at": self._latch.at, "by": self._latch.by, "flatten": self._latch.flatten, "unkept": self._unkept},
            "heartbeats": {who: round(age, 3) for who, age in self.gate.watched(now).items()},
            "broker": {"connected": self._is_connected, "account": self.account and self.account.name, "why": self._refused},
            "stop": self._steps(now),
        }

    def _steps(self, now: float) -> dict[str, Any] | None:
        if self._sweep is None:
            return None
        if self.account is None:
            return {"says": "nothing was ever sent to a broker from here"}
        steps = self._sweep.steps(len(self._working), now)
        return {"says": self._sentence(steps), **steps}

    def _sentence(self, steps: dict[str, dict[str, Any]]) -> str:
        left, flatten, verify = steps["cancel"]["unconfirmed"], steps["flatten"], steps["verify"]["state"]
        if steps["cancel"]["state"] != "done":
            away = "" if self._is_connected else ": the broker cannot be reached, and is asked again for ever"
            return f"{left} order{'' if left == 1 else 's'} not confirmed cancelled{away}"
        if flatten["state"] == "working":
            return f"{flatten['open']} position{'' if flatten['open'] == 1 else 's'} not confirmed closed"
        unread = "" if steps["verify"].get("drained", True) else " when it has read all that was sent before the gate shut"
        return {
            "working": f"the broker is asked once more{unread}",
            "watching": "clear at the broker; watching for what lands late",
            "done": "clear at the broker",
        }[verify]
