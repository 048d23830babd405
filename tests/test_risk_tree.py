"""The limits of a live account and of each symbol: figures that come out to the last unit, breaches that hold, entries that are refused."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.broker_messages import Cancel, Place
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.money import MONEY_ONE, fixed, round_ratio
from sptrader_desktop.core.risk_tree import MINUTE_US, WHOLE, NodeLimits
from sptrader_desktop.runtime.live.bars_from_prices import Bar, Four
from sptrader_desktop.runtime.live.paper_prices import Frictions
from sptrader_desktop.runtime.live.paper_state import snapshot_of
from sptrader_desktop.runtime.live.parts import EvaluatedSet
from tests.account_desk import SECOND, SYMBOLS, TERMS, Desk

EXITS = "  stop_loss: {type: pips, value: 30}\n  take_profit: {type: pips, value: 40}"
MONEY = st.none() | st.integers(20, 400).map(lambda units: units * MONEY_ONE)
LIMITS = st.builds(
    NodeLimits,
    st.just(""),
    MONEY,
    MONEY,
    st.none() | st.integers(8_000, 45_000).map(lambda units: units * MONEY_ONE),
    st.none() | st.integers(300, 1_500).map(lambda units: units * MONEY_ONE),
    st.none() | st.integers(0, 4),
    st.none() | st.integers(1, 6),
    st.booleans(),
)
STEP = st.one_of(
    st.tuples(st.just("price"), st.sampled_from(SYMBOLS), st.integers(-250, 250), st.integers(0, 20)),
    st.tuples(st.just("price"), st.sampled_from(SYMBOLS), st.integers(-250, 250), st.integers(0, 20)),
    st.tuples(st.just("enter"), st.sampled_from(SYMBOLS)),
    st.tuples(st.just("enter"), st.sampled_from(SYMBOLS)),
    st.tuples(st.just("leave"), st.sampled_from(SYMBOLS)),
    st.tuples(st.just("rearm"), st.sampled_from(["", *SYMBOLS])),
    st.tuples(st.just("wait"), st.integers(1, 90)),
)
START = {"EURUSD": 110_000, "USDJPY": 150_000}


def worth(symbol: str, price: int, steps: int, last: int) -> int:
    """In dollars, by hand: yen are divided by the last price of the dollar in yen."""
    item = CATALOGUE[symbol]
    value = price * steps * item.unit_value
    return value if symbol == "EURUSD" else round_ratio(value * item.ticks_per_one, last)


class Held:
    """What the broker holds and has been asked, measured by itself."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.shown = desk, snapshot_of(desk.broker, "s")

    def values(self) -> dict[str, int]:
        found = self.desk.earned()
        for item in self.shown.positions:
            bid, ask = self.desk.bids[item.symbol]
            move = item.side * ((bid if item.side > 0 else ask) - item.price)
            found[item.symbol] += worth(item.symbol, move, item.quantity, bid)
        return found

    def exposures(self) -> dict[str, tuple[int, int]]:
        """Notional and number of all that is open or works."""
        found = dict.fromkeys(SYMBOLS, (0, 0))
        waiting = [(order.symbol, order.quantity) for order in self.shown.orders]
        for symbol, quantity in [*waiting, *((item.symbol, item.quantity) for item in self.shown.positions)]:
            bid, _ = self.desk.bids[symbol]
            before = found[symbol]
            found[symbol] = before[0] + worth(symbol, bid, quantity, bid), before[1] + 1
        return found


def is_within(limits: NodeLimits, exposure: int, positions: int) -> bool:
    most = [(exposure, limits.exposure), (round_ratio(exposure * 100, 3_000), limits.margin), (positions, limits.positions)]
    return all(limit is None or used <= limit for used, limit in most)


@settings(max_examples=60)
@given(LIMITS, st.fixed_dictionaries(dict.fromkeys(SYMBOLS, LIMITS)), st.lists(STEP, max_size=40))
def test_whatever_happens_limits_are_measured_exactly_and_what_is_breached_opens_nothing(
    whole: NodeLimits, apart: Mapping[str, NodeLimits], steps: list[Any]
) -> None:
    desk, prices = Desk(exits=EXITS), dict(START)
    limits = {WHOLE: whole, **apart}
    limits = {scope: each._replace(scope=scope) for scope, each in limits.items()}
    for symbol in SYMBOLS:
        desk.price(symbol, prices[symbol])
    desk.limit(*limits.values())
    sent_at = list[tuple[int, str]]()
    for kind, *figures in steps:
        latched_before, sent_before = set(desk.account.barred), len(desk.sent)
        if kind == "price":
            symbol, move, width = figures
            prices[symbol] += move
            desk.price(symbol, prices[symbol], width)
        elif kind == "wait":
            desk.clock.at += figures[0] * SECOND
        elif kind == "rearm":
            desk.command("rearm", figures[0])
            latched_before = set() if not figures[0] else latched_before - set(figures)
        else:
            desk.act(figures[0], enters=kind == "enter", leaves=kind == "leave")
        held = Held(desk)
        nodes, values, exposures = desk.account.limits.nodes(), held.values(), held.exposures()
        assert {symbol: nodes[symbol].value for symbol in SYMBOLS} == values
        assert nodes[WHOLE].value == fixed(TERMS.capital) + sum(values.values())
        assert latched_before <= set(desk.account.barred), "a breach holds until a person re-arms"
        for request in desk.sent[sent_before:]:
            if isinstance(request, Place):
                assert not {WHOLE, request.symbol} & latched_before
                assert is_within(limits[request.symbol], *exposures[request.symbol])
                assert is_within(limits[WHOLE], *(sum(column) for column in zip(*exposures.values(), strict=True)))
                sent_at.append((desk.clock.at, request.symbol))
                for scope, names in ((WHOLE, SYMBOLS), (request.symbol, (request.symbol,))):
                    lately = sum(at > desk.clock.at - MINUTE_US and symbol in names for at, symbol in sent_at)
                    assert lately <= (limits[scope].orders_a_minute or lately)
        for gauge in desk.account.limits.gauges():
            assert gauge.is_latched or not gauge.is_breached or kind in {"wait", "rearm"}
            assert not gauge.is_latched or gauge.scope in desk.account.barred
    again = desk.recovered()
    assert again.limits.tree.nodes == desk.account.limits.tree.nodes
    assert (again.barred, again.limits.earned, again.alarms) == (desk.account.barred, desk.account.limits.earned, desk.account.alarms)


def entered(desk: Desk, symbol: str = "EURUSD") -> None:
    """At 1.10000 or 150.000, and filled."""
    desk.price(symbol, START[symbol])
    assert desk.act(symbol, enters=True)
    desk.price(symbol, START[symbol])


def test_a_symbol_that_loses_too_much_in_a_day_is_closed_and_the_other_trades_on() -> None:
    desk = Desk()
    entered(desk)
    entered(desk, "USDJPY")
    desk.limit(NodeLimits("EURUSD", daily_loss=50 * MONEY_ONE, flattens=True))
    desk.price("EURUSD", 109_520)  # 48.00, measured from when the limit was set
    assert (desk.gauge("EURUSD", "daily loss").used, desk.account.barred) == (48 * MONEY_ONE, {})
    desk.price("EURUSD", 109_500)
    assert desk.account.barred == {"EURUSD": "EURUSD: daily loss 50.00 has reached the limit of 50.00"}
    assert [(close.quantity, close.reason) for close in desk.closes()] == [(10_000, "risk_halt")]
    desk.price("EURUSD", 111_000)
    assert desk.closed() == [(0, "risk_halt", 10_000, 110_998)], "prices that come back change nothing"
    assert not desk.act("EURUSD", enters=True)
    assert desk.act("USDJPY", enters=True)
    desk.command("rearm", "EURUSD")
    assert desk.gauge("EURUSD", "daily loss").used == 0
    assert desk.act("EURUSD", enters=True)


def test_a_breach_of_the_account_takes_back_what_waits_and_keeps_what_is_open() -> None:
    desk = Desk(order=", order: {type: limit, offset: {type: pips, value: 50}}")
    desk.price("EURUSD", 110_000)
    desk.price("USDJPY", 150_000)
    assert desk.act("EURUSD", enters=True)
    desk.price("EURUSD", 109_400)
    assert desk.act("USDJPY", enters=True)
    desk.limit(NodeLimits(WHOLE, drawdown=30 * MONEY_ONE))
    desk.price("EURUSD", 109_100)
    assert list(desk.account.barred) == [WHOLE]
    assert [type(request) for request in desk.sent] == [Place, Place, Cancel]
    assert not desk.act("EURUSD", enters=True)
    assert not desk.act("USDJPY", enters=True)
    assert (len(snapshot_of(desk.broker, "s").positions), snapshot_of(desk.broker, "s").orders) == (1, ())


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (NodeLimits(WHOLE, exposure=21_999 * MONEY_ONE), "the account: exposure 22000.00 would pass the limit of 21999.00"),
        (NodeLimits("EURUSD", exposure=21_999 * MONEY_ONE), "EURUSD: exposure 22000.00 would pass the limit of 21999.00"),
        (NodeLimits(WHOLE, margin=733 * MONEY_ONE), "the account: margin 733.33333333 would pass the limit of 733.00"),
        (NodeLimits("EURUSD", positions=1), "EURUSD: positions 2 would pass the limit of 1"),
        (NodeLimits("EURUSD", orders_a_minute=1), "EURUSD: order rate 2 would pass the limit of 1"),
    ],
)
def test_an_entry_beyond_a_limit_is_not_sent_and_the_reason_names_the_figure(limits: NodeLimits, why: str) -> None:
    desk = Desk()
    desk.price("EURUSD", 110_000)
    desk.price("USDJPY", 150_000)
    desk.limit(limits)
    assert desk.act("EURUSD", enters=True)  # nobody knows yet whether it is filled, and it counts
    assert not desk.act("EURUSD", enters=True)
    assert desk.account.limits.refusals == [why]
    assert list(desk.account.barred) == (["EURUSD"] if limits.orders_a_minute else []), "only a rate that is passed is a breach by itself"
    assert desk.act("USDJPY", enters=True)


def test_an_order_of_which_nobody_knows_what_became_uses_up_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(frictions=Frictions(latency_us=10 * SECOND, stops_out=False))
    desk.price("EURUSD", 110_000)
    desk.limit(NodeLimits(WHOLE, exposure=30_000 * MONEY_ONE))
    monkeypatch.setattr(desk, "hear", lambda _told: None)  # its answers are lost
    assert desk.act("EURUSD", enters=True)
    assert desk.act("EURUSD", enters=True)
    assert desk.account.lives.unknown() == ["desk-1", "desk-2"]
    assert desk.gauge(WHOLE, "exposure").used == 22_000 * MONEY_ONE
    assert not desk.act("EURUSD", enters=True)


def test_a_price_that_breaches_a_limit_is_heard_at_once_and_others_are_not() -> None:
    desk = Desk(is_eager=False)
    entered(desk)
    desk.limit(NodeLimits(WHOLE, daily_loss=50 * MONEY_ONE, flattens=True))
    assert not desk.price("EURUSD", 109_600)
    assert desk.price("EURUSD", 109_400)
    assert not desk.price("EURUSD", 110_000), "it lasted for one price only"
    assert [done.reason for done in desk.told if done.reason] == ["risk_halt"]


def test_what_was_breached_stays_so_when_its_limit_is_taken_away_and_a_pause_hides_none() -> None:
    desk = Desk()
    entered(desk)
    desk.limit(NodeLimits("EURUSD", drawdown=20 * MONEY_ONE))
    desk.command("pause", "EURUSD")
    desk.price("EURUSD", 109_000)
    desk.command("resume", "EURUSD")
    desk.limit()
    desk.price("EURUSD", 110_000)
    assert list(desk.account.barred) == ["EURUSD"]
    assert not desk.act("EURUSD", enters=True)
    desk.command("rearm")
    assert desk.act("EURUSD", enters=True)
    assert not desk.account.limits.are_set


def test_the_loss_of_a_day_is_measured_anew_when_the_next_begins() -> None:
    desk = Desk()
    entered(desk)
    desk.limit(NodeLimits(WHOLE, daily_loss=50 * MONEY_ONE), NodeLimits("EURUSD", daily_loss=50 * MONEY_ONE))
    desk.price("EURUSD", 109_600)
    opens = desk.clock.at - MINUTE_US
    desk.engine.candle(Bar("EURUSD", "1m", opens, desk.clock.at, Four(*[109_600] * 4), None, 1.0))
    desk.engine.decide(EvaluatedSet("EURUSD", opens, {"up": (), "leave": ()}, frozenset(), is_close_only=False))
    desk.clock.at += 24 * 3_600 * SECOND
    desk.price("EURUSD", 109_550)
    for scope in (WHOLE, "EURUSD"):
        assert desk.gauge(scope, "daily loss").used == 5 * MONEY_ONE
