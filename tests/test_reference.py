"""The oracle on small markets worked out by hand: one picture for each rule that is easy to get wrong."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from sptrader_desktop.core import records as rec
from sptrader_desktop.core.candles import Candles, Prices, PriceSide
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.core.rules import RuleHits
from sptrader_desktop.core.strategy import EntryOrder, EntryRule, ExitRule, Exits, Level, RiskLimits, Side, Size, Strategy, TrailingStop
from sptrader_desktop.core.terms import Commission, Terms
from tests.markets import ALWAYS, TIMEFRAMES
from tests.reference import Outcome, simulate
from tests.reference_bars import bars_of, both_sides, roll_weight, trading_day, wilder_atr

HOUR_US = 3_600_000_000
Ohlc = tuple[int, int, int, int]
FLAT: Ohlc = (1000, 1000, 1000, 1000)

# One lot of EURUSD, so that a tick is a dollar.
LOT = Size("units", Decimal(100_000))
AT_MARKET, NO_EXITS, NO_LIMITS, FREE = EntryOrder(), Exits(), RiskLimits(), Terms()
CLOSE_ALL, CLOSE_PARTIAL = ExitRule(ALWAYS, "close_all"), ExitRule(ALWAYS, "close_partial")


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


MONDAY = us("2024-01-08 00:00")


def prices(bars: list[Ohlc]) -> Prices:
    opens, highs, lows, closes = (np.array(column, np.int64) for column in zip(*bars, strict=True))
    return Prices(opens, highs, lows, closes)


def market(*bars: Ohlc, symbol: str = "EURUSD", start: int = MONDAY, timeframe: str = "1h", side: PriceSide = "bid") -> Candles:
    bar_us = TIMEFRAMES[timeframe] * 60_000_000
    stamps = start + np.arange(len(bars), dtype=np.int64) * bar_us
    return Candles(CATALOGUE[symbol], timeframe, bar_us, stamps, prices(list(bars)), side)


def long(size: Size = LOT, *, order: EntryOrder = AT_MARKET, scale_in: int = 1, reverse: bool = False, side: Side = "long") -> EntryRule:
    return EntryRule(ALWAYS, side, size, order, scale_in=scale_in > 1, max_positions=scale_in, reverse=reverse)


def short(size: Size = LOT, *, reverse: bool = False) -> EntryRule:
    return long(size, reverse=reverse, side="short")


def plan(*entries: EntryRule, exits: Exits = NO_EXITS, risk: RiskLimits = NO_LIMITS) -> Strategy:
    return Strategy("by hand", "1", entries, exits, risk)


def pips(value: int | str) -> Level:
    return Level("pips", Decimal(value))


def hits(candles: Candles, strategy: Strategy, entries: list[list[int]], exits: list[list[int]]) -> RuleHits:
    """For each rule the bars on which it holds; rules left out never do."""
    found = RuleHits(np.zeros((len(strategy.entries), len(candles)), bool), np.zeros((len(strategy.exits.rules), len(candles)), bool))
    for table, rules in ((found.entries, entries), (found.exits, exits)):
        for rule, bars in enumerate(rules):
            table[rule, bars] = True
    return found


def trade(
    candles: Candles,
    strategy: Strategy,
    *entries: list[int],
    exits: list[list[int]] | None = None,
    terms: Terms = FREE,
    rates: tuple[Candles, ...] = (),
    finer: Candles | None = None,
) -> Outcome:
    found = hits(candles, strategy, list(entries), exits or [])
    return simulate([candles], [found], strategy, terms, rates, {candles.symbol: finer} if finer else {})


def story(outcome: Outcome) -> list[str]:
    """Each trade row as `entry bar @ price -> exit bar @ price why`."""
    return [
        f"{row['entry_bar']} @ {row['entry_price']} -> {row['exit_bar']} @ {row['exit_price']} {rec.EXIT_REASONS[row['reason']]}"
        for row in outcome.trades
    ]


def verdicts(outcome: Outcome) -> list[str]:
    return [rec.VERDICTS[row["verdict"]] for row in outcome.verdicts]


# Fills and protective exits


def test_a_market_order_fills_at_the_next_open_and_the_end_closes_it_at_the_last_close() -> None:
    outcome = trade(market(FLAT, (1010, 1020, 1005, 1015), (1016, 1030, 1016, 1025)), plan(long()), [0])
    assert story(outcome) == ["1 @ 1010 -> 2 @ 1025 end_of_data"]
    assert outcome.final_cash == 10_015 * MONEY_ONE
    assert outcome.equity == [(MONDAY + n * HOUR_US, money * MONEY_ONE) for n, money in ((1, 10_000), (2, 10_005), (3, 10_015))]


def test_a_gap_fills_at_the_open_and_beats_the_level() -> None:
    exits = Exits(stop_loss=pips(1), take_profit=pips(1))
    falling = market(FLAT, FLAT, (980, 1020, 980, 1000))
    assert story(trade(falling, plan(long(), exits=exits), [0])) == ["1 @ 1000 -> 2 @ 980 stop_loss"]
    assert story(trade(falling, plan(short(), exits=exits), [0])) == ["1 @ 1000 -> 2 @ 980 take_profit"]


def test_stop_and_target_in_one_bar_are_ambiguous_and_the_policy_decides() -> None:
    both = market(FLAT, (1000, 1020, 980, 1000))
    strategy = plan(long(), exits=Exits(stop_loss=pips(1), take_profit=pips(1)))
    pessimist = trade(both, strategy, [0])
    optimist = trade(both, strategy, [0], terms=Terms(intrabar="target_first"))
    assert story(pessimist) == ["1 @ 1000 -> 1 @ 990 stop_loss"]
    assert story(optimist) == ["1 @ 1000 -> 1 @ 1010 take_profit"]
    assert [row["ambiguous"] for row in pessimist.trades + optimist.trades] == [1, 1]


def test_finer_bars_resolve_what_the_bar_left_open_unless_one_of_them_is_ambiguous_too() -> None:
    both = market(FLAT, (1000, 1020, 980, 1000))
    strategy = plan(long(), exits=Exits(stop_loss=pips(1), take_profit=pips(1)))
    up_first = market(FLAT, (1000, 1020, 995, 1000), (1000, 1000, 980, 1000), start=MONDAY + HOUR_US, timeframe="15m")
    torn = market(FLAT, (1000, 1020, 980, 1000), start=MONDAY + HOUR_US, timeframe="15m")
    gapped = market((1000, 1005, 1000, 1005), (1018, 1020, 980, 1000), start=MONDAY + HOUR_US, timeframe="15m")
    told = [trade(both, strategy, [0], finer=finer) for finer in (up_first, torn, gapped)]
    assert [story(outcome) for outcome in told] == [
        ["1 @ 1000 -> 1 @ 1010 take_profit"],
        ["1 @ 1000 -> 1 @ 990 stop_loss"],
        ["1 @ 1000 -> 1 @ 1018 take_profit"],
    ]
    assert [(outcome.trades[0]["ambiguous"], outcome.trades[0]["resolved"]) for outcome in told] == [(0, 1), (1, 0), (0, 1)]


@pytest.mark.parametrize(
    ("policy", "told"),
    [("stop_first", ["1 @ 995 -> 2 @ 1000 end_of_data"]), ("target_first", ["1 @ 995 -> 1 @ 1005 take_profit"])],
)
def test_on_the_bar_of_a_touched_entry_stop_first_never_credits_the_target(policy: str, told: list[str]) -> None:
    """The high of 1010 may have come before the low of 992 that filled the order."""
    strategy = plan(long(order=EntryOrder("limit", pips("0.5"))), exits=Exits(stop_loss=pips(1), take_profit=pips(1)))
    terms = Terms(intrabar="target_first") if policy == "target_first" else Terms()
    outcome = trade(market(FLAT, (1000, 1010, 992, 1000), FLAT), strategy, [0], terms=terms)
    assert story(outcome) == told
    assert outcome.trades[0]["ambiguous"] == 1


def test_a_stop_inside_the_spread_leaves_at_the_open_of_its_own_bar() -> None:
    outcome = trade(market(FLAT, FLAT), plan(long(), exits=Exits(stop_loss=pips(1))), [0], terms=Terms(spread_pips=Decimal(2)))
    assert story(outcome) == ["1 @ 1020 -> 1 @ 1000 stop_loss"]


def test_a_trailing_level_acts_from_the_bar_after_the_close_that_moved_it() -> None:
    """Bar 1 closes at 1100: the level becomes 1089, which the low of bar 1 does not feel and the low of bar 2 does."""
    rising = market(FLAT, (1000, 1100, 1000, 1100), (1100, 1100, 1080, 1090))
    trailing = TrailingStop(Decimal("0.05"), Decimal("0.01"))
    assert story(trade(rising, plan(long(), exits=Exits(trailing_stop=trailing)), [0])) == ["1 @ 1000 -> 2 @ 1089 trailing_stop"]
    tight = Exits(stop_loss=Level("price", Decimal("0.01089")), trailing_stop=trailing)
    gap = market(FLAT, (1100, 1100, 1095, 1100), (1100, 1100, 1080, 1090))
    at_once = replace(tight, trailing_stop=TrailingStop(Decimal(0), Decimal("0.01")))
    assert story(trade(gap, plan(long(), exits=at_once), [0])) == ["1 @ 1100 -> 2 @ 1089 stop_loss"]


def test_an_exit_ordered_at_a_close_fills_at_the_open_whatever_the_bar_does_later() -> None:
    strategy = plan(long(), exits=Exits(rules=(CLOSE_ALL,), stop_loss=pips(1)))
    outcome = trade(market(FLAT, FLAT, (995, 1020, 900, 900)), strategy, [0], exits=[[1]])
    assert story(outcome) == ["1 @ 1000 -> 2 @ 995 signal_exit"]


def test_levels_between_ticks_round_half_to_even() -> None:
    exits = Exits(stop_loss=Level("percentage", Decimal("0.0005")), take_profit=pips("0.25"))
    falling = trade(market(FLAT, FLAT, (1000, 1000, 990, 990)), plan(long(), exits=exits), [0])
    rising = trade(market(FLAT, FLAT, (1000, 1010, 1000, 1010)), plan(long(), exits=exits), [0])
    assert story(falling) == ["1 @ 1000 -> 1 @ 1000 stop_loss"]  # 999.5
    assert story(rising) == ["1 @ 1000 -> 1 @ 1000 stop_loss"]
    wide = replace(exits, stop_loss=None)
    assert story(trade(market(FLAT, FLAT, (1000, 1010, 1000, 1010)), plan(long(), exits=wide), [0])) == ["1 @ 1000 -> 2 @ 1002 take_profit"]


def test_slippage_worsens_stops_and_markets_and_spares_limits() -> None:
    strategy = plan(long(), exits=Exits(stop_loss=pips(1), take_profit=pips(1)))
    terms = Terms(slippage_pips=Decimal("0.3"))
    assert story(trade(market(FLAT, FLAT, (1000, 1000, 900, 900)), strategy, [0], terms=terms)) == ["1 @ 1003 -> 2 @ 990 stop_loss"]
    assert story(trade(market(FLAT, FLAT, (1000, 1100, 1000, 1100)), strategy, [0], terms=terms)) == ["1 @ 1003 -> 2 @ 1013 take_profit"]


def test_an_odd_spread_around_mid_leaves_the_larger_half_above() -> None:
    bid, ask = both_sides(market(FLAT, side="mid"), Decimal("0.5"))
    assert (bid[0].open, ask[0].open) == (998, 1003)
    bid, ask = both_sides(market(FLAT, side="ask"), Decimal("0.5"))
    assert (bid[0].open, ask[0].open) == (995, 1000)


# Entry orders


def test_a_limit_works_for_as_many_bars_as_it_was_given_and_a_better_open_fills_it() -> None:
    order = EntryOrder("limit", pips(1), expiry=2)
    late = trade(market(FLAT, FLAT, FLAT, (990, 990, 990, 990)), plan(long(order=order)), [0])
    assert [(rec.ORDER_STATES[row["state"]], row["settled_bar"], row["level"]) for row in late.orders] == [("expired", 2, 990)]
    touched = trade(market(FLAT, FLAT, (1000, 1000, 990, 1000)), plan(long(order=order)), [0])
    assert story(touched) == ["2 @ 990 -> 2 @ 1000 end_of_data"]
    slipping = Terms(slippage_pips=Decimal("0.3"))
    gapped = trade(market(FLAT, (985, 1000, 985, 1003)), plan(long(order=order)), [0], terms=slipping)
    assert story(gapped) == ["1 @ 985 -> 1 @ 1000 end_of_data"]


def test_a_stop_entry_is_touched_on_the_ask_and_pays_slippage() -> None:
    order = EntryOrder("stop", pips(1))
    terms = Terms(spread_pips=Decimal("0.4"), slippage_pips=Decimal("0.1"))
    outcome = trade(market(FLAT, (1000, 1006, 1000, 1006)), plan(long(order=order)), [0], terms=terms)
    assert story(outcome) == ["1 @ 1011 -> 1 @ 1005 end_of_data"]


def test_a_reverse_closes_first_and_without_it_the_entry_is_ignored() -> None:
    flat = market(FLAT, FLAT, FLAT, FLAT)
    turned = trade(flat, plan(long(), short(reverse=True)), [0], [1])
    assert story(turned) == ["1 @ 1000 -> 2 @ 1000 reverse", "2 @ 1000 -> 3 @ 1000 end_of_data"]
    assert [(row["side"], row["bar"]) for row in turned.fills] == [(1, 1), (-1, 2), (-1, 2), (1, 3)]
    ignored = trade(flat, plan(long(), short()), [0], [1])
    assert verdicts(ignored) == ["placed", "opposite"]
    torn = trade(flat, plan(long(), short(reverse=True)), [0], [0])
    assert [rec.ORDER_STATES[row["state"]] for row in torn.orders] == ["cancelled", "filled"]


def test_with_fill_close_the_deciding_bar_fills_and_the_next_is_the_first_to_count() -> None:
    strategy = plan(long(), exits=Exits(stop_loss=pips(1), time_exit=2))
    outcome = trade(market((1000, 1000, 900, 1000), FLAT, FLAT, FLAT), strategy, [0], terms=Terms(fill="close"))
    assert story(outcome) == ["0 @ 1000 -> 2 @ 1000 time_exit"]
    assert story(trade(market(FLAT, FLAT, FLAT, FLAT), strategy, [0])) == ["1 @ 1000 -> 3 @ 1000 time_exit"]


# Money


def test_a_partial_target_closes_the_oldest_first_and_takes_every_target_away() -> None:
    """Two positions of 100 and 100 steps; 0.75 of 200 is all of the first and half of the second."""
    exits = Exits(take_profit=pips(1), scale_out=True, partial_close_pct=Decimal("0.75"))
    hundred = Size("units", Decimal(100))
    bars = market(FLAT, FLAT, (1005, 1011, 1005, 1011), (1015, 1040, 1015, 1040))
    outcome = trade(bars, plan(long(hundred, scale_in=2), exits=exits), [0, 1])
    assert story(outcome) == ["1 @ 1000 -> 2 @ 1010 partial", "2 @ 1005 -> 2 @ 1010 partial", "2 @ 1005 -> 3 @ 1040 end_of_data"]
    assert [row["quantity"] for row in outcome.trades] == [100, 50, 50]


def test_parts_share_the_entry_commission_and_the_last_takes_what_is_left() -> None:
    """Three steps pay 0.1 at entry; a third of it is 0.03333333, the rest 0.06666667; every exit pays the minimum again."""
    exits = Exits(rules=(CLOSE_PARTIAL,), partial_close_pct=Decimal("0.4"))
    terms = Terms(commission=Commission(minimum=Decimal("0.1")))
    outcome = trade(market(*[FLAT] * 4), plan(long(Size("units", Decimal(3))), exits=exits), [0], exits=[[1]], terms=terms)
    assert [(row["quantity"], row["commission"]) for row in outcome.trades] == [(1, 13_333_333), (2, 16_666_667)]
    assert outcome.final_cash == 10_000 * MONEY_ONE - 30_000_000


def test_commission_adds_lots_and_percent_of_notional() -> None:
    terms = Terms(commission=Commission(per_lot=Decimal(7), percent=Decimal("0.001"), minimum=Decimal(1)))
    outcome = trade(market(FLAT, FLAT), plan(long(Size("lots", Decimal("0.5")))), [0], terms=terms)
    assert [row["commission"] for row in outcome.fills] == [4 * MONEY_ONE] * 2  # 3.50 for half a lot, 0.50 of 500 dollars


def test_a_fill_converts_at_its_own_price_and_a_mark_at_the_last() -> None:
    """1000 USDJPY from 100.000 to 105.000: 5,000 yen, at 105 47.61904762 dollars, though the last price known is the open of 100."""
    bars = market((100_000,) * 4, (100_000,) * 4, (100_000, 120_000, 100_000, 120_000), symbol="USDJPY")
    rule = long(Size("units", Decimal(1000)))
    outcome = trade(bars, plan(rule, exits=Exits(take_profit=Level("price", Decimal(105)))), [0])
    assert [(row["gross"], row["rate_num"], row["rate_den"]) for row in outcome.trades] == [(4_761_904_762, 1, 105)]
    marked = trade(market(*[(100_000,) * 4] * 2, (110_000,) * 4, (120_000,) * 4, symbol="USDJPY"), plan(rule), [0])
    assert marked.equity[2][1] == 10_000 * MONEY_ONE + 9_090_909_091  # 10,000 yen at 110


def test_a_pair_without_a_direct_rate_converts_through_dollars() -> None:
    """Yen into euro: 1 / 100 dollars for a yen, 1 / 1.25 euro for a dollar."""
    bars = market((150_000,) * 4, (150_000,) * 4, (151_000,) * 4, symbol="GBPJPY")
    rates = (market(*[(125_000,) * 4] * 3), market(*[(100_000,) * 4] * 3, symbol="USDJPY"))
    outcome = trade(bars, plan(long(Size("units", Decimal(1000)))), [0], terms=Terms(currency="EUR"), rates=rates)
    assert [(row["gross"], row["rate_num"], row["rate_den"]) for row in outcome.trades] == [(8 * MONEY_ONE, 1, 125)]


def test_a_run_that_cannot_convert_is_refused() -> None:
    bars = market(*[(150_000,) * 4] * 3, symbol="GBPJPY")
    euro = market(*[(125_000,) * 4] * 3)
    late = market((100_000,) * 4, symbol="USDJPY", start=MONDAY + 2 * HOUR_US)
    with pytest.raises(RunError, match="no pair turns JPY into EUR"):
        trade(bars, plan(long()), [0], terms=Terms(currency="EUR"), rates=(euro,))
    with pytest.raises(RunError, match="USDJPY has no price yet"):
        trade(bars, plan(long()), [0], terms=Terms(currency="EUR"), rates=(euro, late))


def test_the_roll_is_five_in_new_york_and_wednesdays_counts_three() -> None:
    winter, summer = us("2024-01-10 22:00"), us("2024-07-10 21:00")  # Wednesdays
    assert [roll_weight(roll - HOUR_US, roll, every_day=False) for roll in (winter, summer)] == [3, 3]
    assert [roll_weight(roll, roll + HOUR_US, every_day=False) for roll in (winter, summer)] == [0, 0]
    assert roll_weight(us("2024-03-08 00:00"), us("2024-03-11 20:59"), every_day=False) == 1  # Friday; then the clocks change
    assert roll_weight(us("2024-03-08 00:00"), us("2024-03-11 21:00"), every_day=False) == 2
    assert roll_weight(us("2024-03-08 00:00"), us("2024-03-11 21:00"), every_day=True) == 4
    assert trading_day(winter).day == trading_day(winter - 1).day + 1


def test_financing_is_charged_on_the_last_price_before_the_first_open_after_the_roll() -> None:
    """100,000 EURUSD held over a Wednesday at -3.65 %: three days of 0.01 % of the last close, 1,000 dollars."""
    bars = market(FLAT, FLAT, (1100, 1100, 1100, 1100), start=us("2024-01-10 20:00"))
    instrument = replace(bars.instrument, long_rate=Decimal("-0.0365"))
    outcome = trade(replace(bars, instrument=instrument), plan(long()), [0])
    assert [row["financing"] for row in outcome.trades] == [-30_000_000]
    assert outcome.final_cash == 10_100 * MONEY_ONE - 30_000_000


# Size and risk


def test_a_fraction_rounds_down_and_the_position_limit_caps_it() -> None:
    """A third of 10,000 dollars at 0.01007 buys 331,016 euro and a bit."""
    price = (1007, 1007, 1007, 1007)
    third = Size("fraction", Decimal("0.33333333"))
    outcome = trade(market(price, price), plan(long(third)), [0])
    assert [row["quantity"] for row in outcome.fills] == [331_016, 331_016]
    capped = trade(market(price, price), plan(long(third), risk=RiskLimits(position_limit=Decimal("0.1"))), [0])
    assert [(row["wanted"], row["quantity"]) for row in capped.verdicts] == [(331_016, 99_304)]


def test_risk_sizes_by_the_distance_of_the_stop() -> None:
    """One percent of 10,000 dollars over 20 ticks of a cent per thousand: 500,000 euro."""
    strategy = plan(long(Size("risk", Decimal("0.01"))), exits=Exits(stop_loss=pips(2)))
    assert trade(market(FLAT, FLAT), strategy, [0]).fills[0]["quantity"] == 500_000


def test_the_breaching_close_names_its_limit_and_later_ones_are_halted() -> None:
    """A lot loses 500 of 10,000 dollars at the close of bar 1."""
    falling = market(FLAT, (1000, 1000, 500, 500), (490, 490, 490, 490), FLAT)
    strategy = plan(long(scale_in=9), risk=RiskLimits(max_drawdown=Decimal("0.05")))
    outcome = trade(falling, strategy, [0, 1, 2])
    assert verdicts(outcome) == ["placed", "max_drawdown", "halted"]
    assert story(outcome) == ["1 @ 1000 -> 2 @ 490 risk_halt"]


def test_a_daily_loss_is_forgiven_at_the_next_roll_and_counts_from_there() -> None:
    start = us("2024-01-08 19:00")
    falling = market(FLAT, (1000, 1000, 900, 900), (900, 900, 900, 900), FLAT, FLAT, start=start)
    strategy = plan(long(), risk=RiskLimits(daily_loss_limit=Decimal("0.01")))
    outcome = trade(falling, strategy, [0, 1, 2, 3])
    assert verdicts(outcome) == ["placed", "daily_loss", "halted", "placed"]
    assert story(outcome) == ["1 @ 1000 -> 2 @ 900 risk_halt", "4 @ 1000 -> 4 @ 1000 end_of_data"]


def test_a_stop_out_takes_the_largest_loser_one_at_each_close() -> None:
    """Lots at 1000 and 1020 of 220 dollars: at 930 they leave 60, under half of the margin of 186; the younger has lost more."""
    bars = market(FLAT, FLAT, (1020, 1020, 930, 930), (950, 950, 940, 940), (940,) * 4)
    terms = Terms(capital=Decimal(220), leverage=Decimal(10))
    outcome = trade(bars, plan(long(scale_in=2)), [0, 1], terms=terms)
    assert verdicts(outcome) == ["placed", "placed"]
    assert story(outcome) == ["2 @ 1020 -> 3 @ 950 stop_out", "1 @ 1000 -> 4 @ 940 end_of_data"]


def test_two_marks_of_one_close_stop_out_one_position_and_the_oldest_of_equals() -> None:
    """Three lots of 300 dollars at 940 leave 120 for a margin of 282, and after a part was closed there 120 for 263: one goes."""
    bars = market(FLAT, FLAT, FLAT, (1000, 1000, 940, 940), (960,) * 4)
    exits = Exits(rules=(CLOSE_PARTIAL,), partial_close_pct=Decimal("0.1"))
    terms = Terms(capital=Decimal(300), leverage=Decimal(10), fill="close")
    outcome = trade(bars, plan(long(scale_in=3), exits=exits), [0, 1, 2], exits=[[3]], terms=terms)
    assert story(outcome) == [
        "1 @ 1000 -> 3 @ 940 partial",
        "0 @ 1000 -> 4 @ 960 stop_out",
        "1 @ 1000 -> 4 @ 960 end_of_data",
        "2 @ 1000 -> 4 @ 960 end_of_data",
    ]


def test_margin_refuses_what_leverage_cannot_carry() -> None:
    strategy = plan(long(Size("fraction", Decimal("30.1"))), long(Size("fraction", Decimal(30))))
    assert verdicts(trade(market(FLAT, FLAT), strategy, [0], [0])) == ["margin", "placed"]


def test_wilders_average_starts_with_the_mean_of_the_first_true_ranges() -> None:
    bars = bars_of(prices([(10, 12, 9, 10), (11, 14, 11, 13), (13, 13, 12, 12), (20, 21, 20, 21)]))
    assert wilder_atr(bars, 2) == [None, None, 2.5, (2.5 + 9) / 2]


def test_a_slower_symbol_is_marked_at_the_open_of_the_bar_under_way() -> None:
    """The hour of GBPUSD ends first; EURUSD's four hours will close at 1300 but so far only their open of 1100 is known."""
    slow = market(FLAT, (1100, 1300, 1100, 1300), start=MONDAY, timeframe="4h")
    quick = market(*[FLAT] * 8, symbol="GBPUSD")
    strategy = plan(long())
    found = [hits(slow, strategy, [[0]], []), hits(quick, strategy, [], [])]
    outcome = simulate([slow, quick], found, strategy, Terms(spread_pips=Decimal(5)))
    assert [money // MONEY_ONE for _, money in outcome.equity] == [10_000] * 4 + [9_950] * 3 + [10_150]
