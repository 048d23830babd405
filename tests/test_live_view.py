"""What the Live page shows of a state: figures to the last digit, and what is old is known to be old."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import What
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.present import live_chart, live_guard, live_risk, live_tree
from sptrader_desktop.present import live_view as view
from sptrader_desktop.present.selection import Zone
from tests.live_states import Market, gauge
from tests.test_live_state import NOON, Scene, entered

SECOND = 1_000_000


@pytest.fixture
def scene() -> Scene:
    made = Scene(daily_loss_limit=Decimal("0.03"), max_positions=2)
    entered(made)
    made.see(2_010_000)
    return made


def of(scene: Scene, at: int = NOON) -> dict[str, Any]:
    return {**scene.state(at=at), "signals": list(scene.feeds.signals), "equity": [["2024-01-29T12:00:00Z", "10000.00"]]}


def test_tiles_say_the_figures_with_units_and_signs(scene: Scene) -> None:
    shown = view.tiles(of(scene))
    assert shown["value"] == ("10,050.00", "USD", 0)
    assert shown["day"] == ("+50.00", "USD", 1)
    assert shown["plug"] == ("250.00", "USD", 0)
    scene.tell(What.PROTECTED, "", 7, stop=-(2**62), target=2**62, trail=-(2**62))
    state = of(scene)
    assert view.tiles(state)["plug"] == ("No bound", "", -1)
    assert "holds no stop for BTCUSD" in view.plug_words(state)
    assert view.positions_table(state, Zone.UTC, view.muted(state, NOON))["held"].exact(0) == "NO"


def test_what_is_old_is_muted_and_said(scene: Scene) -> None:
    seen = view.micros(of(scene)["positions"][0]["price_at"])
    state = of(scene, at=seen)
    fresh, old, silent = seen + SECOND, seen + 11 * SECOND, seen + 4 * SECOND
    assert not view.is_stale(state, fresh)
    assert view.is_stale(of(scene, at=old), old)
    assert view.is_silent(state, silent)
    assert "was last heard 4 s ago" in view.age_words(state, silent)
    for now, is_lost in ((fresh, False), (fresh, True), (silent, False), (silent, True)):
        is_muted = is_lost or now == silent
        assert view.muted(state, now, is_lost=is_lost) == [is_muted], "also where its prices are of this moment"
        assert ("was last heard" in view.age_words(state, now, is_lost=is_lost)) == is_muted

    priced = view.micros(state["prices"][0]["at"])
    for age, is_old in ((SECOND, False), (11 * SECOND, True)):
        assert view.is_priced_long_ago(of(scene, at=priced + age), "BTCUSD", priced + age) == is_old


@pytest.mark.parametrize(("told", "shown"), [("0.7", "0.70"), ("1", "1.00"), ("0.87", "0.87"), ("0.0052", "0.0052"), ("-3", "-3.00")])
def test_strengths_stand_below_each_other_and_lose_no_digit(told: str, shown: str) -> None:
    assert view.hundredths(told) == shown


def test_tables_hold_what_the_session_said(scene: Scene) -> None:
    scene.feeds.spoken("a", "golden_cross", 0.75)
    scene.hear(facts.SignalJudged(NOON, "a", "", "it is stale", "cross", "BTCUSD"))
    scene.hear(facts.SignalJudged(NOON + SECOND, "b", "", "taken", "cross", "BTCUSD"))
    state = of(scene)
    signals = view.signals_table(state, Zone.UTC)
    assert [signals["outcome"].exact(row) for row in range(2)] == ["taken", "rejected"], "the newest first"
    assert (signals["why"].exact(1), signals["strength"].text(1), signals["strength"].text(0)) == ("it is stale", "0.75", "–")
    orders = view.orders_table(state, Zone.UTC)
    assert (orders["state"].exact(0), orders["filled"].text(0), orders["level"].text(0)) == ("filled", "0.5000", "–")
    positions = view.positions_table(state, Zone.UTC, view.muted(state, NOON))
    assert (positions["profit"].text(0), positions["entry_price"].exact(0)) == ("+50.00", "20000.00")
    assert len(view.events_table(scene.events, Zone.UTC)) == len(scene.events) > 0
    instants, equity = view.equity_of(state)
    assert (instants.tolist(), equity.tolist()) == ([NOON], [10_000 * 10**8])


def test_limits_say_what_is_left_of_them_and_what_has_none_says_so(scene: Scene) -> None:
    found = live_risk.gauges(of(scene))
    words = [gauge.words for gauge in found]
    assert words[0] == "Loss today: 0.00 of 300.00 USD, 300.00 USD left"
    assert words[1] == "Drawdown: 0.00 USD, no limit"
    assert words[4] == "Open positions: 1 of 2, 1 left"
    assert (found[1].fraction, found[4].fraction, found[4].tone) == (None, 0.5, "")
    assert view.open_words(of(scene)) == "long 0.5000 BTCUSD, 0 working orders"


def test_the_headline_and_the_gate_say_why() -> None:
    scene = Scene()
    assert view.headline(of(scene)) == "Running"
    scene.hear(facts.Commanded(NOON, "pause", "me"))
    assert (view.headline(of(scene)), view.reason_words(of(scene))) == ("Paused", "Paused by me")
    shut = {**of(scene), "gate": "shut", "gate_why": "stopped"}
    assert view.reason_words(shut) == "Paused by me; no order leaves while the gate is shut (stopped)"


def test_symbols_that_are_halted_alone_are_armed_alone_and_with_everything_where_more_waits() -> None:
    market, alone = Market(datetime(2024, 1, 29, 12, tzinfo=UTC)), {"EURUSD": "filled by what nobody waited for"}
    assert not view.waits_for_person(market.state())
    assert view.waits_for_person(market.state(latched=alone)), "no limit is latched and no gate is shut"
    assert not view.waits_for_person(market.state(state="close_only", reason="the disk is full")), "room on the disk is no person's word"
    assert view.halted_alone(market.state(latched=alone)) == alone
    whole = gauge("drawdown", "money", "1", "1", latched=True, scope="global")
    of_all = {"latched": alone | {"*": "x"}}, {"state": "halted"}, {"gate": "shut"}, {"limits_wait": True}, {"risk": [whole]}
    more: list[dict[str, Any]] = [{"latched": alone, **changes} for changes in of_all]
    assert not any(view.halted_alone(market.state(**changes)) for changes in more)


def test_a_stop_that_stands_is_told_with_who_when_and_how_far_it_came() -> None:
    latch = {"at": "2024-01-29T12:00:00.000+00:00", "by": "alex", "flatten": True, "unkept": ""}
    guard = {
        "guardian": None,
        "gate": None,
        "latch": latch,
        "heartbeats": {"core": 0.1},
        "stop": {"says": "2 positions not confirmed closed"},
    }
    assert live_guard.words(guard, Zone.UTC) == (
        "Stopped on Mon 2024-01-29 12:00:00 by alex, with all positions to be closed. Nothing trades until a person re-arms. "
        "At the broker: 2 positions not confirmed closed."
    )
    assert live_guard.lasting(guard) == live_guard.lasting({**guard, "heartbeats": {"core": 0.2}}), "ages alone change nothing"
    silent = {"guardian": {"state": "silent", "says": "it does not answer"}, "latch": None}
    assert live_guard.words(silent, Zone.UTC) == "it does not answer"
    assert live_guard.words(None, Zone.UTC) == ""


def test_levels_are_those_of_the_symbol_and_say_what_the_broker_does_not_hold(scene: Scene) -> None:
    assert live_chart.levels(of(scene), CATALOGUE["EURUSD"]) == []
    found = live_chart.levels(of(scene), CATALOGUE["BTCUSD"])
    assert found == [(2_000_000, "long 0.5000 from 20000.00  +50.00", "accent"), (1_960_000, "stop 19600.00", "down")]
    bare = of(scene)
    bare["positions"][0]["is_stop_at_broker"] = False
    assert live_chart.levels(bare, CATALOGUE["BTCUSD"])[1].text == "stop, not at the broker 19600.00"


def test_a_bar_that_forms_is_the_last_until_it_is_closed() -> None:
    rows = [["2024-01-29T12:00:00Z", "1.0", "1.2", "0.9", "1.1"]]
    closed = live_chart.candles_of(CATALOGUE["EURUSD"], "1m", rows)
    forming = {"at": "2024-01-29T12:01:00Z", "open": "1.1", "high": "1.3", "low": "1.1", "close": "1.25"}
    grown = live_chart.with_forming(closed, forming)
    assert grown.timestamp.tolist() == [NOON, NOON + 60 * SECOND]
    assert (grown.prices.close.tolist(), len(closed)) == ([110_000, 125_000], 1)
    assert live_chart.with_forming(grown, forming) is grown, "one that is closed counts"


def test_the_tree_says_how_each_service_is_and_by_what_it_is_restarted() -> None:
    state = Market(datetime(2024, 1, 29, 12, tzinfo=UTC)).state()
    rows = {row.key: row for row in live_tree.rows(state)}
    now = view.micros("2024-01-29T12:00:00Z")
    assert rows["EURUSD"].texts(now)[:2] == ("EURUSD", "running 4/4")
    service = rows["EURUSD StrategyEvaluationService"]
    assert service.texts(now) == ("Strategy evaluation", "running", "", "0", "0", "29 s", "1.5 h")
    assert (service.about, rows["EURUSD"].about, rows["account"].about) == ("EURUSD StrategyEvaluationService", "EURUSD", "")
    assert rows["connections broker"].state == "up"
