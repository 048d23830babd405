"""The trades of a run as a table: exact, in the units a trader thinks in, and with how far the market went either way."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sptrader_desktop.core.calendar import HOUR_US
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.metrics_trades import net_results, percent_results
from sptrader_desktop.core.money import MONEY_ONE, decimal_text, money_text, round_ratio
from sptrader_desktop.core.records import EXIT_REASONS, LONG
from sptrader_desktop.present.column_filters import read_number
from sptrader_desktop.present.column_makers import Ints, Scale, count, money, per_symbol, price_scale, quantity_scale, ratio, times, word
from sptrader_desktop.present.columns import Column, Columns
from sptrader_desktop.present.excursions import Excursions, excursions
from sptrader_desktop.present.listing import Listing, symbols_of
from sptrader_desktop.present.numbers import amount, duration
from sptrader_desktop.present.selection import Zone

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

SIDES = ("long", "short")
IS_AMBIGUOUS = ("false", "true")
ADVERSE = "the furthest the market went against the trade while it was open, at prices the trade certainly saw"
FAVOURABLE = "the furthest the market went for the trade while it was open, at prices the trade certainly saw"


def trade_listing(result: "Result", zone: Zone) -> Listing:
    """In the order in which they closed, which is what their numbers count."""
    trades = result.outcome.trades
    table = Columns((*_facts(result, zone), *_results(result), *_excursions(result, excursions(result))))
    return Listing(table, symbols_of(result), trades["symbol"], trades["entry_time"], trades["exit_time"])


def _facts(result: "Result", zone: Zone) -> tuple[Column, ...]:
    trades, symbols = result.outcome.trades, result.outcome.trades["symbol"]
    instruments = [candles.instrument for candles in result.request.traded]
    prices, quantities = [price_scale(item) for item in instruments], [quantity_scale(item) for item in instruments]
    return (
        count("id", "Trade", np.arange(1, len(trades) + 1), "trades are counted as they close"),
        word("symbol", "Symbol", symbols, symbols_of(result)),
        word("side", "Side", np.where(trades["side"] == LONG, 0, 1), SIDES),
        times("entry_time", "Entered", trades["entry_time"], zone, "the open of the bar in which it was filled"),
        per_symbol("entry_price", "Entry", trades["entry_price"], symbols, prices),
        times("exit_time", "Exited", trades["exit_time"], zone, "the open of the bar in which it was filled"),
        per_symbol("exit_price", "Exit", trades["exit_price"], symbols, prices),
        per_symbol(
            "quantity", "Quantity", trades["quantity"], symbols, quantities, "units of the symbol, for example 100,000 to a lot of FX"
        ),
        word(
            "exit_reason", "Reason", trades["reason"], EXIT_REASONS, "why it ended", shown=[name.replace("_", " ") for name in EXIT_REASONS]
        ),
    )


def _results(result: "Result") -> tuple[Column, ...]:
    trades, currency = result.outcome.trades, result.request.terms.currency
    net, symbols = net_results(trades), trades["symbol"]
    hours = (trades["exit_time"] - trades["entry_time"]) / HOUR_US
    pips = [pip_scale(candles.instrument) for candles in result.request.traded]
    moved = trades["side"] * (trades["exit_price"] - trades["entry_price"])
    held = ratio("holding_period_hours", "Held", hours, "", "from the bar of entry to the bar of exit; filter in hours")
    return (
        money("pnl", "Net", net, currency, "gross profit less commission, plus financing"),
        per_symbol("pips", "Move", moved, symbols, pips, "from entry to exit, before costs", unit="pips", is_signed=True),
        ratio("pnl_percent", "Net", percent_results(net, trades["entry_notional"]), "%", "of what was bought or sold", is_signed=True),
        money("gross_pnl", "Gross", trades["gross"], currency, "before commission and financing", is_shown=False),
        money("commission", "Commission", trades["commission"], currency, "paid", is_signed=False, is_shown=False),
        money("financing", "Financing", trades["financing"], currency, "received less paid", is_shown=False),
        Column(held.key, held.title, hours, lambda row: duration(float(hours[row])), held.exact, tip=held.tip, read=held.read),
        word("ambiguous", "Ambiguous", trades["ambiguous"], IS_AMBIGUOUS, "its bar held stop and target both", shown=("no", "yes")),
    )


def _excursions(result: "Result", found: Excursions) -> tuple[Column, ...]:
    symbols = result.outcome.trades["symbol"]
    pips = [pip_scale(candles.instrument) for candles in result.request.traded]
    return (
        per_symbol("mae_pips", "Adverse", found.adverse, symbols, pips, f"MAE: {ADVERSE}", unit="pips", is_signed=True),
        per_symbol("mfe_pips", "Favourable", found.favourable, symbols, pips, f"MFE: {FAVOURABLE}", unit="pips", is_signed=True),
        _in_money(result, "mae", "Adverse", found.adverse, f"MAE: {ADVERSE}"),
        _in_money(result, "mfe", "Favourable", found.favourable, f"MFE: {FAVOURABLE}"),
    )


def _in_money(result: "Result", key: str, title: str, ticks: Ints, tip: str) -> Column:
    """Sorted by what is nearly it; read exactly, at the rate by which the trade itself was converted."""
    exact = money_of(result, ticks)
    return Column(
        key,
        title,
        worth(result, ticks),
        lambda row: amount(exact(row), signed=True),
        lambda row: money_text(exact(row)),
        unit=result.request.terms.currency,
        tip=tip,
        read=lambda text: read_number(text, MONEY_ONE, is_whole=False),
        is_signed=True,
        is_shown=False,
    )


def money_of(result: "Result", ticks: Ints) -> Callable[[int], int]:
    """What a move of so many ticks is worth to each trade, in 1e-8 of the account currency."""
    trades, units = result.outcome.trades, [candles.instrument.unit_value for candles in result.request.traded]

    def exact(row: int) -> int:
        trade = trades[row]
        value = int(ticks[row]) * units[trade["symbol"]] * int(trade["quantity"])
        return round_ratio(value * int(trade["rate_num"]), int(trade["rate_den"]))

    return exact


def worth(result: "Result", ticks: Ints) -> NDArray[np.float64]:
    """The same for all of them, as near as a float comes: for order, filters and pictures."""
    trades = result.outcome.trades
    units = np.array([float(candles.instrument.unit_value) for candles in result.request.traded])[trades["symbol"]]
    found: NDArray[np.float64] = ticks * units * trades["quantity"] * (trades["rate_num"] / trades["rate_den"])
    return found


def pip_scale(instrument: Instrument) -> Scale:
    per_pip = instrument.ticks_per_pip
    return Scale(per_pip, lambda ticks: decimal_text(Decimal(ticks) / per_pip, 0), lambda ticks: _pips(Decimal(ticks) / per_pip))


def _pips(value: Decimal) -> str:
    text = f"{value:+,.1f}"
    return text if value else text.lstrip("+-")
