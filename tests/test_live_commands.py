"""Whatever is written to the control socket: it is done, or refused in words and nothing has changed; what is written down replays."""

import asyncio
import string
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.core.risk_tree import NodeLimits
from sptrader_desktop.runtime.live.command import WORDS, command_of
from sptrader_desktop.runtime.live.commands import Commands
from sptrader_desktop.runtime.live.core import LiveCore
from sptrader_desktop.runtime.live.session import Session
from tests.live_invariants import state_of
from tests.test_live_engine import Live

ONE = 10**13
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMED = [
    "",
    "EURUSD",
    "GBPUSD",
    "*",
    "0",
    "7",
    "-1",
    "1e3",
    "00",
    "9" * 19,
    "9" * 90,
    "9" * 5_000,
    "٣",
    "abc",
    "test-1",
    "test-2",
    "flatten",
]
ABOUT = st.sampled_from(NAMED) | st.text(max_size=120) | JSON
MESSAGES = st.fixed_dictionaries(
    {"what": st.sampled_from(WORDS) | st.text(string.printable, max_size=12) | JSON},
    optional={"about": ABOUT, "by": st.text(max_size=120) | JSON},
)


class Nobody:
    """In place of guardian, services and streams."""

    position = status = None
    read_to = ""
    orchestrators: Mapping[str, Any] = MappingProxyType({})

    async def stop(self, by: str, *, flatten: bool) -> None: ...

    async def rearm(self, by: str) -> None: ...

    async def restart(self, symbol: str | None) -> None: ...


def traded() -> tuple[Live, Commands]:
    """One position is open and one is asked for."""
    live, nobody = Live(), Nobody()
    live.price()
    live.enter()
    live.price()
    live.say("up")
    live.engine.commit()
    feed: Any = nobody
    core = LiveCore(live.engine, feed, feed, feed, live.clock)
    symbols: Any = {"EURUSD": SimpleNamespace(bus=SimpleNamespace(subscribe=lambda *_: None))}
    core.attach(symbols, feed)
    return live, Commands(core, nobody, live.clock)


def refusal(commands: Commands, message: dict[str, Any]) -> str:
    """Nothing where it was done."""
    try:
        asyncio.run(commands.obey(command_of(message)))
    except SptraderError as error:
        return str(error)
    return ""


@settings(max_examples=40)
@given(st.lists(MESSAGES, min_size=1, max_size=4))
def test_any_command_is_done_or_refused_in_words_and_changes_nothing_then(messages: list[dict[str, Any]]) -> None:
    live, commands = traded()
    account, journal = live.engine.account, live.journal
    for message in messages:
        before = state_of(account), journal.head
        why = refusal(commands, message)
        assert len(why) < 400
        assert not why or (state_of(account), journal.head) == before
    again = Live()
    found = Session(again.engine.account, journal)
    found.recover()
    assert state_of(found.account) == state_of(account)


def test_a_symbol_is_rearmed_only_from_what_halted_it_alone() -> None:
    live, commands = traded()
    rearm = {"what": "rearm", "about": "EURUSD"}
    assert "nothing of it waits" in refusal(commands, rearm)
    assert not refusal(commands, {"what": "pause", "about": "EURUSD", "by": "me"})
    assert refusal(commands, rearm) == "EURUSD is only paused by me: resume it"
    live.engine.command("halt", "enough", "me")
    live.engine.account.barred["EURUSD"] = "a limit"
    assert not refusal(commands, rearm)
    assert "the account is (enough): re-arm without a symbol" in refusal(commands, rearm)


def test_limits_that_are_written_anew_hold_at_once_where_they_are_tighter_and_after_a_rearming_where_they_are_looser() -> None:
    live, _ = traded()
    nobody: Any = Nobody()
    core = LiveCore(live.engine, nobody, nobody, nobody, live.clock)
    core.attach({}, nobody)
    written: list[Any] = [NodeLimits("*", exposure=9 * ONE, positions=7), NodeLimits("EURUSD", margin=5 * ONE)]

    def read() -> tuple[NodeLimits, ...]:
        if None in written:
            raise SptraderError("it is no list\nand more")
        return tuple(written)

    commands = Commands(core, nobody, live.clock, read)

    def after(what: str) -> tuple[dict[str, NodeLimits], bool]:
        """Those in force, and whether others wait."""
        assert not refusal(commands, {"what": what})
        return {each.scope: each for each in live.engine.account.limits.tree.limits}, core.limits_wait

    assert after("restart_service") == ({each.scope: each for each in written}, False)
    written[:] = [NodeLimits("*", exposure=8 * ONE, drawdown=ONE, positions=8, flattens=True)]
    tighter = NodeLimits("*", exposure=8 * ONE, drawdown=ONE, positions=7, flattens=True)
    assert after("restart_service") == ({"*": tighter, "EURUSD": NodeLimits("EURUSD", margin=5 * ONE)}, True)
    assert after("rearm") == ({"*": written[0]}, False)
    written.append(None)
    assert after("restart_service") == ({"*": written[0]}, False)
    assert core.alarms.last[-1][1] == "the limits stay as they were: it is no list"
    again = Live()
    found = Session(again.engine.account, live.journal)
    found.recover()
    assert state_of(found.account) == state_of(live.engine.account)


def test_absurd_numbers_are_refused_and_real_ones_are_not() -> None:
    live, commands = traded()
    for about in ("abc", "1", "9" * 60, "-0", " 0", "٣"):
        assert "is not open" in refusal(commands, {"what": "close", "about": about})
    assert "DataFetchingService of which symbol" in refusal(commands, {"what": "restart_service", "about": " DataFetchingService"})
    assert live.engine.account.undone.is_empty
    assert not refusal(commands, {"what": "close", "about": "0", "by": "me"})
    assert not live.engine.account.undone.is_empty  # there is no line: it is asked when there is one
