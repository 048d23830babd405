"""The guardian before the real paper broker: it stops it, closes what it holds, and follows a ledger that begins anew."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sptrader_desktop.adapters.broker_lines import line_of
from sptrader_desktop.core.broker_messages import Snapshot, What
from sptrader_desktop.guardian.places import Places
from tests.guardian_rig import Rig, wait_for
from tests.paper_client import Client, PaperProcess, paper_process
from tests.scripted_broker import ScriptedBroker
from tests.test_guardian import Core, is_open
from tests.test_paper_broker import name, price
from tests.test_paper_prices import ASKED, place

HELLO = {"do": "hello", "account": "paper", "since": 0}


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperProcess]:
    with paper_process(tmp_path_factory.mktemp("paper"), replace(ASKED, exits={})) as process:
        yield process


@pytest.fixture
def market(paper: PaperProcess) -> Iterator[Client]:
    with paper.client() as client:
        client.settle(price())  # before the first, every order is rejected
        yield client


@pytest.fixture
def rig(paper: PaperProcess, tmp_path: Path) -> Iterator[Rig]:
    running = Rig(Places(tmp_path), ScriptedBroker(paper.places.socket))
    try:
        yield running
    finally:
        running.end()


def after_a_price(market: Client) -> Snapshot:
    """Which is what an order and a close wait for."""
    market.settle(price())
    return market.snapshot()


def test_a_stop_cancels_what_works_and_closes_what_is_open(rig: Rig, market: Client) -> None:
    rig.start_guardian()
    resting, held = name(), name()
    with Core(rig.places) as core:
        core.say(HELLO)
        wait_for(lambda: is_open(rig), "the gate to open")
        assert core.line
        core.line.sendall(line_of(place(held, quantity=5)) + line_of(place(resting, kind="limit", level=100_000, quantity=7)))
        wait_for(lambda: (shown := after_a_price(market)).positions and shown.orders, "order and position")
        rig.stop(flatten=True)
        wait_for(lambda: not after_a_price(market).positions, "the position to be closed")
        steps = rig.until_verified()
        assert steps["cancel"] == {"state": "done", "confirmed": 1, "unconfirmed": 0}
        assert (steps["flatten"]["state"], steps["flatten"]["closed"]) == ("done", 1)
    closed = [item for item in market.told if item.what is What.CLOSED]
    assert [(item.quantity, item.reason) for item in closed] == [(5, "emergency")]
    assert [item.id for item in market.told if item.what is What.CANCELLED] == [resting]


def test_a_guardian_that_remembers_another_ledger_begins_at_the_beginning(rig: Rig, market: Client) -> None:
    rig.places.account.write_text(json.dumps({"name": "paper", "since": 10_000}))
    rig.start_guardian()
    market.settle(place(name(), kind="limit", level=100_000))
    assert market.snapshot().orders
    wait_for(lambda: (rig.status() or {})["broker"] == {"connected": True, "account": "paper", "why": ""}, "the broker to be reached")
    rig.stop()
    wait_for(lambda: not market.snapshot().orders, "the order to be cancelled")
    rig.until_verified()


def test_a_broker_of_another_account_says_so_in_the_status(rig: Rig) -> None:
    rig.places.account.write_text(json.dumps({"name": "somebody", "since": 0}))
    rig.start_guardian()
    wait_for(lambda: (rig.status() or {})["broker"]["why"] == "this is account paper", "the refusal")
