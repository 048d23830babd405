"""The paper broker behind the real guardian: a stop closes everything by the broker's own word, and no order passes after it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sptrader_desktop.adapters.guarded_broker import GuardedBroker, GuardedLine
from sptrader_desktop.adapters.guardian_link import GuardianLink
from sptrader_desktop.cli import run
from sptrader_desktop.core.broker_messages import Answer, Cancel, Refused, Transaction, What
from sptrader_desktop.guardian.asking import ask
from sptrader_desktop.guardian.latch import read_latch
from sptrader_desktop.guardian.places import Places
from tests.guardian_rig import wait_for
from tests.paper_client import Client, PaperProcess, paper_process
from tests.test_guardian_link import end_guardian
from tests.test_paper_broker import price
from tests.test_paper_prices import ASKED, place

SHORT = ("--quarantine", "0.1", "--unknown", "0.5", "--idle", "0.2")


class Core:
    """What comes from the broker, and whether the gate was opened."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[Answer] = asyncio.Queue()
        self.may_trade = asyncio.Event()
        self.troubles: list[str] = []

    def gate(self, is_open: bool, _: str) -> None:
        if is_open:
            self.may_trade.set()

    async def follow(self, line: GuardedLine) -> None:
        async for answer in line.received():
            self.answers.put_nowait(answer)

    async def told(self, what: What, name: str) -> None:
        async with asyncio.timeout(20):
            while True:
                answer = await self.answers.get()
                if isinstance(answer, Transaction) and (answer.what, answer.id) == (what, name):
                    return

    async def refused(self) -> str | None:
        async with asyncio.timeout(20):
            while not isinstance(answer := await self.answers.get(), Refused):
                pass
        return answer.id


def test_a_stop_cancels_and_closes_all_that_the_broker_has_and_lets_no_order_pass(tmp_path: Path) -> None:
    with paper_process(tmp_path / "broker", replace(ASKED, exits={})) as process:
        asyncio.run(stopped(process, tmp_path / "live"))


@asynccontextmanager
async def holding(process: PaperProcess, market: Client, live: Path) -> AsyncIterator[tuple[Core, GuardianLink, GuardedLine]]:
    """A session with a position and an order that waits, until it ends in good order."""
    core = Core()
    link = GuardianLink(live, str(process.places.socket), "core", core.troubles.append, options=SHORT)
    await link.open()
    line = await GuardedBroker(link, core.gate, core.troubles.append).open("paper", 0)
    following = asyncio.create_task(core.follow(line))
    await asyncio.wait_for(core.may_trade.wait(), 20)
    await asyncio.to_thread(market.settle, price())
    for order in (place("held"), place("waits", kind="limit", level=100_000)):
        line.send(order)
    await core.told(What.ACCEPTED, "waits")
    await asyncio.to_thread(market.settle, price())
    await core.told(What.FILLED, "held")
    yield core, link, line
    line.cut()
    await following
    await link.close()
    assert core.troubles == []


async def stopped(process: PaperProcess, live: Path) -> None:
    with process.client() as market:
        async with holding(process, market, live) as (core, link, line):
            await link.stop("a test", flatten=True)
            line.send(place("after"))
            await flat(link, market)
            assert await core.refused() == "after"
            shown = market.snapshot()
            assert (shown.positions, shown.orders) == ((), ())
            ends = {(item.what, item.reason) for item in market.told if item.what in {What.CLOSED, What.CANCELLED}}
            assert ends == {(What.CLOSED, "emergency"), (What.CANCELLED, "")}
            assert all(item.id != "after" for item in market.told)
            line.send(Cancel("a cancel passes", "nothing"))
            await core.told(What.CANCEL_REJECTED, "a cancel passes")
            await link.rearm("a test")


def test_a_stop_without_a_guardian_starts_one_that_cancels_and_closes_what_the_session_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = tmp_path / "live"
    monkeypatch.setenv("SPTRADER_LIVE", str(live))
    with paper_process(tmp_path / "broker", replace(ASKED, exits={})) as process, process.client() as market:
        asyncio.run(left(process, market, live))
        places = Places(live)
        wait_for(lambda: not places.control.exists(), "the guardian to leave")
        try:
            with prices_going_on(process):
                assert run(["stop", "--flatten"]) == 0
                wait_for(lambda: is_verified(places), "the broker to be clear")
            assert "cancel   done: confirmed 1, unconfirmed 0" in capsys.readouterr().out
            shown = market.snapshot()
            assert (shown.positions, shown.orders) == ((), ())
            latch = read_latch(places.latch)
            assert latch
            assert latch.flatten
        finally:
            end_guardian(live)


def is_verified(places: Places) -> bool:
    answer = ask(places, {"do": "status"})
    return answer is not None and answer["stop"]["verify"]["state"] in {"watching", "done"}


async def left(process: PaperProcess, market: Client, live: Path) -> None:
    async with holding(process, market, live):
        pass


@contextmanager
def prices_going_on(process: PaperProcess) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        with process.client() as market:
            while not over.wait(0.01):
                market.settle(price())

    going = threading.Thread(target=go_on)
    going.start()
    try:
        yield
    finally:
        over.set()
        going.join()


async def flat(link: GuardianLink, market: Client) -> None:
    """Prices go on until the guardian has verified that nothing is left."""
    while (await link.status())["stop"]["verify"]["state"] not in {"watching", "done"}:
        await asyncio.to_thread(market.settle, price())
        await asyncio.sleep(0.01)
