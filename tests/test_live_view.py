"""What the Live page shows of a state: figures to the last digit, and what is old is known to be old."""

from decimal import Decimal
from typing import Any

import pytest

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import What
from sptrader_desktop.present import live_risk
from sptrader_desktop.present import live_view as view
from sptrader_desktop.present.selection import Zone
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
    assert view.positions_table(state, Zone.UTC, NOON)["held"].exact(0) == "NO"


def test_what_is_old_is_muted_and_said(scene: Scene) -> None:
    seen = view.micros(of(scene)["positions"][0]["price_at"])
    state = of(scene, at=seen)
    fresh, old, silent = seen + SECOND, seen + 11 * SECOND, seen + 4 * SECOND
    assert not view.is_stale(state, fresh)
    assert view.is_stale(of(scene, at=old), old)
    assert view.is_silent(state, silent)
    assert "was last heard 4 s ago" in view.age_words(state, silent)
    for now, is_muted in ((fresh, False), (silent, True)):
        muted = view.positions_table(state, Zone.UTC, now).muted
        assert muted is not None
        assert muted.tolist() == [is_muted]


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
    positions = view.positions_table(state, Zone.UTC, NOON)
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
