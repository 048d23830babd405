"""When alerts fire, held against a plain reading of what `at`, `above` and `below` mean; and how they are written and typed."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.present.column_filters import chosen_rows
from sptrader_desktop.present.columns import SortKey, ordered
from sptrader_desktop.present.price_alerts import (
    MOST_TICKS,
    Alerts,
    Fired,
    Kind,
    PriceAlert,
    alert_columns,
    alerts_read,
    alerts_written,
    checked,
    in_ticks_of,
    typed_alert,
    with_alert,
)
from sptrader_desktop.present.selection import Zone

TICK = CATALOGUE["EURUSD"].tick
TICKS = [Decimal(tick) for tick in ("0.00000001", "0.25", "1")]
PRICES = st.lists(st.integers(100, 120), max_size=30)
KINDS = st.sampled_from(get_args(Kind))
ALERTS = st.lists(
    st.builds(
        PriceAlert,
        st.sampled_from(["EURUSD", "USDJPY"]),
        KINDS,
        st.integers(100, 120),
        st.sampled_from([Decimal("0.00001"), Decimal("0.25"), Decimal("0.1")]),
        st.sampled_from([-1, 0, 1]),
        st.one_of(st.none(), st.builds(Fired, st.integers(0, 2**53), st.integers(1, 10**6))),
    ),
    max_size=4,
).map(tuple)


def first_reached(kind: str, level: int, prices: list[int]) -> int | None:
    """By its place among the prices: `at` means that the price is there, or was on one side and is on the other."""
    for place, price in enumerate(prices):
        crossed = any((before - level) * (price - level) < 0 for before in prices[:place])
        if {"above": price >= level, "below": price <= level, "at": price == level or crossed}[kind]:
            return place
    return None


@given(KINDS, st.integers(100, 120), PRICES)
def test_an_alert_fires_once_at_the_first_price_that_reaches_or_jumps_over_it(kind: Kind, level: int, prices: list[int]) -> None:
    alerts: Alerts = (PriceAlert("EURUSD", kind, level, TICK),)
    heard: list[int] = []
    for place, price in enumerate(prices):
        alerts, fired = checked(alerts, "EURUSD", place, price)
        heard += [place for _ in fired]
    expected = first_reached(kind, level, prices)
    assert heard == ([] if expected is None else [expected])
    assert alerts[0].fired == (None if expected is None else Fired(expected, prices[expected]))


@given(KINDS, st.integers(100, 120), PRICES, PRICES)
def test_a_start_in_between_changes_nothing(kind: Kind, level: int, before: list[int], after: list[int]) -> None:
    """What `at` had seen is kept, so that a jump while the program was shut is heard at the first price."""
    straight: Alerts = (PriceAlert("EURUSD", kind, level, TICK),)
    restarted = straight
    for price in before:
        straight, _ = checked(straight, "EURUSD", 0, price)
        restarted, _ = checked(restarted, "EURUSD", 0, price)
    restarted = alerts_read(json.loads(json.dumps(alerts_written(restarted))))
    for price in after:
        straight, _ = checked(straight, "EURUSD", 1, price)
        restarted, _ = checked(restarted, "EURUSD", 1, price)
    assert straight == restarted


def test_other_symbols_and_fired_alerts_are_left_alone_until_armed_again() -> None:
    alerts: Alerts = (PriceAlert("EURUSD", "above", 110, TICK), PriceAlert("USDJPY", "above", 110, TICK))
    alerts, fired = checked(alerts, "EURUSD", 5, 111)
    assert [alert.symbol for alert in fired] == ["EURUSD"]
    same, none = checked(alerts, "EURUSD", 6, 112)
    assert same is alerts
    assert none == ()
    armed = (alerts[0].armed(), alerts[1])
    assert checked(armed, "EURUSD", 7, 113)[1][0].fired == Fired(7, 113)


def test_setting_an_alert_again_arms_it() -> None:
    fired = PriceAlert("EURUSD", "at", 110, TICK, 1, Fired(1, 110))
    assert with_alert((fired,), PriceAlert("EURUSD", "at", 110, TICK)) == (PriceAlert("EURUSD", "at", 110, TICK),)
    assert len(with_alert((fired,), PriceAlert("EURUSD", "above", 110, TICK))) == 2


@given(ALERTS)
def test_alerts_come_back_as_they_were_kept(alerts: Alerts) -> None:
    assert alerts_read(json.loads(json.dumps(alerts_written(alerts)))) == alerts
    assert len(alert_columns(alerts, Zone.UTC)) == len(alerts)


def test_prices_of_alerts_are_sorted_and_filtered_as_numbers() -> None:
    yen = Decimal("0.001")
    alerts = [PriceAlert("USDJPY", "at", 152_300, yen), PriceAlert("EURUSD", "at", 108_500, TICK), PriceAlert("USDJPY", "at", 98_000, yen)]
    alerts.append(PriceAlert("EURUSD", "at", 112_340, TICK, 1, Fired(7, 112_341)))
    table = alert_columns(alerts, Zone.UTC)
    assert [table["price"].text(row) for row in range(4)] == ["152.300", "1.08500", "98.000", "1.12340"]
    assert ordered(table, (SortKey("price"),), np.arange(4)).tolist() == [1, 3, 2, 0]
    assert chosen_rows(table, "", {"price": "> 1.11"}).tolist() == [0, 2, 3]
    assert chosen_rows(table, "1.1234", {}).tolist() == [3]
    assert [table["reached"].text(row) for row in range(4)] == ["–", "–", "–", "1.12341"]
    assert chosen_rows(table, "", {"reached": "< 2"}).tolist() == [3]


NO_TICKS: list[object] = ["1e-999999", "1e999999", "nan", "-0.1", "0", "0.3", "9" * 5_000, "a", 7, []]
ALERT = {"symbol": "EURUSD", "kind": "at", "ticks": 1, "side": 0, "fired": None}


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"symbol": "EURUSD"},
        None,
        *(ALERT | wrong for wrong in ({"symbol": "NOSUCH"}, {"ticks": 10**30}, {"ticks": -1}, {"fired": [10**30, 1]})),
        *(ALERT | {"tick": tick} for tick in NO_TICKS),
    ],
)
def test_what_is_no_alert_is_refused(held: object) -> None:
    with pytest.raises(DataError, match="is no alert"):
        alerts_read([held])


def test_prices_are_typed_as_the_symbol_has_them() -> None:
    assert typed_alert("eurusd", "at", "1.085") == PriceAlert("EURUSD", "at", 108_500, TICK)
    assert typed_alert("USDJPY", "below", "150,25").words == "USDJPY below 150.250"
    for symbol, price, said in (
        ("EURUSD", "1.085001", "moves in steps of 0.00001"),
        ("EURUSD", "", "no price: write a price above zero, such as 1.08500"),
        ("EURUSD", "-1", "above zero"),
        ("EURUSD", "nan", "above zero"),
        ("NOSUCH", "1", "NOSUCH: this symbol is not known"),
        ("XAUUSD", "2,000", "can be read two ways: write 2000 or 2.000"),
        ("EURUSD", "1e30", "above zero"),
        ("EURUSD", "9" * 5_000, "above zero"),
    ):
        with pytest.raises(DataError, match=said):
            typed_alert(symbol, "at", price)


@given(ALERTS, st.sampled_from([Decimal("0.00001"), Decimal("0.001"), Decimal("0.05")]))
def test_an_alert_waits_for_the_same_price_in_whatever_ticks_prices_come(alerts: Alerts, tick: Decimal) -> None:
    known = {"EURUSD": replace(CATALOGUE["EURUSD"], tick=tick)}
    for before, after in zip(alerts, in_ticks_of(alerts, known), strict=True):
        if before.symbol != "EURUSD":
            assert after is before
            continue
        assert after.tick == tick
        assert after.ticks >= 1
        assert abs(after.ticks * tick - before.ticks * before.tick) <= max(tick / 2, tick - before.ticks * before.tick)
        if before.tick % tick == 0:
            assert Decimal(after.price) == Decimal(before.price)


@given(st.integers(1, MOST_TICKS), st.sampled_from(TICKS), st.sampled_from(TICKS))
def test_whatever_ticks_an_alert_is_put_in_it_can_be_read_again(ticks: int, before: Decimal, after: Decimal) -> None:
    alert = PriceAlert("EURUSD", "at", ticks, before, 0, Fired(1, ticks))
    there = in_ticks_of((alert,), {"EURUSD": replace(CATALOGUE["EURUSD"], tick=after)})
    assert alerts_read(json.loads(json.dumps(alerts_written(there)))) == there


def test_an_alert_of_a_first_version_has_the_ticks_of_what_is_built_in() -> None:
    (alert,) = alerts_read([{"symbol": "USDJPY", "kind": "at", "ticks": 150_250, "side": 0, "fired": None}])
    assert alert.words == "USDJPY at 150.250"


def test_a_symbol_of_ones_own_is_typed_and_comes_back_without_its_instruments_file() -> None:
    own = replace(CATALOGUE["EURUSD"], symbol="US30", tick=Decimal("0.25"))
    alert = typed_alert("us30", "above", "38123.5", {"US30": own})
    assert (alert.symbol, alert.ticks, alert.price) == ("US30", 152_494, "38123.50")
    assert alerts_read(json.loads(json.dumps(alerts_written((alert,))))) == (alert,)
