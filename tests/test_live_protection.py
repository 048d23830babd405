"""Whole sessions in simulated worlds that are about what protects an account: limits, levels that nobody else holds, signed signals."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sptrader_desktop.adapters.redis_signals import DEAD, STREAM
from sptrader_desktop.core.broker_messages import Place, What
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.core.risk_tree import WHOLE, NodeLimits
from sptrader_desktop.core.signals import Signal, sign, write_signal
from sptrader_desktop.runtime.live.paper_terms import PaperTerms
from sptrader_desktop.runtime.live.parts import PauseReason
from tests.live_world import World
from tests.test_live_truths import CalmWorld

KEY = b"k" * 32


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


class Bare(World):
    """Its broker holds no stops."""

    def _terms(self) -> PaperTerms:
        return replace(super()._terms(), holds_stops=False)


def test_whatever_goes_wrong_the_levels_that_no_broker_holds_end_positions_and_the_books_agree() -> None:
    reasons = Counter[str]()
    for seed in range(24):
        world = Bare(seed)
        world.run()
        reasons.update(done.reason for done in world.broker.told if done.what is What.CLOSED)
        assert not any(done.what is What.PROTECTED for done in world.broker.told), seed
    assert reasons["stop_loss"] > 1
    assert reasons["take_profit"] + reasons["partial"] > 0


LIMITS = (
    NodeLimits(WHOLE, daily_loss=6 * MONEY_ONE, exposure=45_000 * MONEY_ONE, flattens=True),
    NodeLimits("EURUSD", drawdown=2 * MONEY_ONE, orders_a_minute=2),
    NodeLimits("GBPUSD", positions=1),
)


class Limited(World):
    def _begin_core(self) -> None:
        super()._begin_core()
        if self.life is not None:
            self.life.core.limits = LIMITS


def test_a_limit_that_was_breached_stays_so_through_every_fault_and_death_of_the_core() -> None:
    breached = lives = 0
    for seed in range(16):
        world = Limited(seed)
        world.run()
        account = world.watch.shadow.account
        for scope, node in account.limits.tree.nodes.items():
            assert not node.latched or scope in account.barred, seed
        breached += any("limit of" in text for text in account.alarms)
        lives += world.lives
    assert breached >= 6
    assert lives > 36, "cores died meanwhile"


def test_a_breach_pauses_the_services_of_its_symbol_until_a_person_re_arms() -> None:
    world, seen = CalmWorld(), list[Any]()

    def look() -> None:
        assert world.life is not None
        world.life.core._flush()
        orchestrators = world.life.core.orchestrator.orchestrators
        seen.append([(set(each.pauses), str(each.state)) for each in orchestrators.values()])

    def command(what: str, about: str) -> None:
        assert world.life is not None
        world.life.core.command(what, about, "me")

    def limit(*limits: NodeLimits) -> None:
        assert world.life is not None
        world.life.core.engine.limit(limits)

    world.at(1.0, lambda: limit(NodeLimits("EURUSD", positions=0)))
    world.at(1.1, lambda: command("pause", "GBPUSD"))
    world.at(3.9, look)
    world.at(4.0, lambda: limit(NodeLimits("EURUSD", drawdown=1)))
    world.at(6.5, look)
    world.at(6.6, lambda: command("resume", "GBPUSD"))
    world.at(6.6, limit)
    world.at(6.7, lambda: command("rearm", ""))
    world.at(6.8, look)
    world.run()
    running: tuple[set[PauseReason], str] = set(), "running"
    paused, breached = ({PauseReason.PERSON}, "paused"), ({PauseReason.RISK_BREACH}, "paused")
    assert seen[0] == [running, paused]
    assert seen[1] in ([breached, paused], [running, paused])
    assert seen[2] == [running, running]


class Real(CalmWorld):
    """A session that was begun for an account of real money."""

    def _begin_core(self) -> None:
        super()._begin_core()
        if self.life is not None:
            self.life.session.account.environment = "live"


def test_with_real_money_only_what_a_known_publisher_signed_is_traded_and_the_rest_is_dead_with_its_reason() -> None:
    world = Real(speaks=False)
    world.broker.environment = "live"

    def know_the_key() -> None:
        assert world.life is not None
        feed: Any = world.life.core._feed
        feed._key_of = {"q": KEY}.get

    def say_signed(name: str, key: bytes) -> None:
        now = world.clock.now()
        text = write_signal(Signal(name, "up", "event", 1.0, now, {}, "EURUSD", None, None, None, "q", now + 2_500_000))
        stream_id = world.redis.ask(("XADD", STREAM, "*", "data", text, "signature", sign(key, text))).decode()
        world.watch.published(stream_id, name if key == KEY else "")

    def say_unsigned() -> None:
        world.say("unsigned")
        world.watch.names = dict.fromkeys(world.watch.names, "")

    world.at(0.1, know_the_key)
    world.at(0.8, say_unsigned)
    world.at(0.9, lambda: say_signed("forged", b"x" * 32))
    world.at(1.0, lambda: say_signed("signed", KEY))
    world.run()
    assert world.outcomes["signed"] == "taken"
    dead = [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in world.redis.ask(("XRANGE", DEAD, "-", "+"))]
    assert [letter[b"rule"] for letter in dead] == [b"unsigned", b"forged"]
    assert sum(isinstance(request, Place) for request in world.watch.intents.values()) == 1


def test_an_account_of_another_environment_than_the_one_that_was_traded_is_not_traded() -> None:
    world = CalmWorld()

    def change() -> None:
        world.broker.environment = "live"
        for peer in list(world.broker.peers):
            peer.cut()

    sent = list[int]()
    world.at(3.0, change)
    world.at(3.2, lambda: sent.append(len(world.watch.sent)))
    world.at(5.0, lambda: sent.append(len(world.watch.sent)))
    world.at(5.0, lambda: setattr(world.broker, "environment", "paper"))
    world.run()
    assert sent[0] == sent[1] > 0
    assert any("account is live in USD, and this session trades paper" in text for text in world.alarms)
