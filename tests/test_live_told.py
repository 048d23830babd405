"""What a live session tells a person without being asked: a full disk, an order that did not leave, a gate that stays shut."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from sptrader_desktop.adapters.core_watch import GateSeen
from sptrader_desktop.core.broker_messages import Refused
from sptrader_desktop.core.facts import Fact, RequestUnsettled
from sptrader_desktop.runtime.live.core import LiveCore
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import TradeFailed
from sptrader_desktop.runtime.live.fact_text import read_fact
from tests.test_live_commands import Nobody
from tests.test_live_engine import MINUTE, Live


class Told:
    """A core of one symbol, on whose bus a test says what trade execution would."""

    def __init__(self) -> None:
        self.live, self.bus = Live(), LocalEventBus()
        nobody: Any = Nobody()
        symbols: Any = {"EURUSD": SimpleNamespace(bus=self.bus)}
        self.core = LiveCore(self.live.engine, nobody, nobody, nobody, self.live.clock)
        self.core.attach(symbols, nobody)

    def asked(self) -> str:
        """The id of an entry that was decided."""
        self.live.price()
        assert self.live.say("up") == "taken"
        (asked,) = self.live.engine.commit()
        return asked.id

    def facts(self) -> list[Fact]:
        return [read_fact(entry.kind, entry.body) for entry in self.live.journal.read()]

    @property
    def alarms(self) -> list[str]:
        return [text for _, text in self.core.alarms.last]


def test_a_disk_that_becomes_full_is_one_alarm_and_so_is_that_it_is_over() -> None:
    told = Told()
    for is_full in (False, True, True, False, False):
        told.live.journal.is_filled = is_full
        told.core._flush()
        told.core._flush()
    assert told.alarms == [
        "the disk is full, and only what lessens risk is written: make room",
        "there is room on the disk again, and entries are written",
    ]


WHY, SHUT = "the last price is 45.0 s old, and max_price_age is 2 s", "the market is closed"


def test_an_order_that_trade_execution_refuses_is_an_alarm_and_its_reason_is_written_down() -> None:
    told = Told()
    told.bus.publish(TradeFailed("EURUSD", told.live.clock.at, name := told.asked(), WHY))
    assert told.alarms == [f"EURUSD: an entry ({name}) was not sent: {WHY}"]
    assert told.facts()[-1] == RequestUnsettled(told.live.clock.at, name, WHY)
    told.bus.publish(TradeFailed("EURUSD", told.live.clock.at, name, WHY))
    assert len(told.alarms) == 1, "what is over is no news"


def test_every_close_that_was_not_sent_is_told_and_entries_once_a_minute_for_each_kind_of_reason() -> None:
    told = Told()

    def refused(why: str = WHY) -> str:
        (asked,) = told.live.engine.commit()
        told.bus.publish(TradeFailed("EURUSD", told.live.clock.at, asked.id, why))
        return asked.id

    def entry(why: str = WHY) -> str:
        told.live.price()
        told.live.say("up")
        return refused(why)

    first, *_ = (entry() for _ in range(3))
    _, third = (entry(why) for why in (WHY.replace("45.0", "146.1"), SHUT))
    told.live.clock.at += MINUTE
    second = entry()
    told.live.price()
    told.live.enter()
    closes = []
    for _ in range(2):
        told.live.price()
        told.live.say("out")
        closes.append(refused())
    said = [("an entry", first, WHY), ("an entry", third, SHUT), ("an entry", second, WHY), *(("a close", name, WHY) for name in closes)]
    assert [text for text in told.alarms if "not sent" in text] == [
        f"EURUSD: {what} ({name}) was not sent: {why}" for what, name, why in said
    ]


def test_an_order_that_the_gate_keeps_back_is_an_alarm() -> None:
    told = Told()
    name = told.asked()

    async def heard() -> None:
        told.core._hear(Refused(name, "gate"))

    asyncio.run(heard())
    assert told.alarms == [f"EURUSD: an entry ({name}) was not sent: the guardian's gate was shut"]


def test_a_journal_of_before_there_were_reasons_is_read() -> None:
    assert read_fact("request_unsettled", b'[7,"paper-1"]') == RequestUnsettled(7, "paper-1", "")


@pytest.mark.parametrize(
    ("reasons", "held"),
    [
        ("hello of the core", ()),
        ("stopped, hello of the core", ("stopped",)),
        ("stopped, heartbeat of window, hello of the core", ("stopped", "heartbeat of window")),
    ],
)
def test_a_gate_that_no_hello_opens_is_held(reasons: str, held: tuple[str, ...]) -> None:
    gate = GateSeen()
    assert gate.held == ()
    gate.hear(False, reasons)
    assert gate.held == held
    gate.hear(True, "")
    assert gate.held == ()
    gate.hear(False, reasons)
    gate.lose("the guardian is gone")
    assert gate.held == ()
