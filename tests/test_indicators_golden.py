"""Our indicators against TA-Lib's on twelve years of real hourly EURUSD, bar for bar."""

import csv
import statistics
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.component_frames import candle_frame
from tests.indicator_markets import calculate, catalogue, difference, indicators

Floats = np.ndarray[Any, np.dtype[np.float64]]
TOLERANCE = 1e-9


class Match(NamedTuple):
    """`rounding` is what doubles lose where TA-Lib subtracts nearly equal numbers; relative to zero that is any amount."""

    indicator: str
    output: str
    params: dict[str, Decimal]
    rounding: float = 0.0


def match(indicator: str, output: str = "", rounding: float = 0.0, **params: int) -> Match:
    return Match(indicator, output or indicator, {name: Decimal(value) for name, value in params.items()}, rounding)


# Seven units in the last place of a price: the difference of two averages of prices.
OF_PRICES = 1.6e-15
MATCHES = {
    **{f"sma_{period}": match("sma", period=period) for period in (10, 20, 50, 200)},
    **{f"ema_{period}": match("ema", period=period) for period in (12, 20, 26, 50, 200)},
    "rsi_14": match("rsi"),
    "macd_12_26_9": match("macd", rounding=OF_PRICES),
    "macd_signal": match("macd", "signal", OF_PRICES),
    "macd_hist": match("macd", "histogram", OF_PRICES),
    "tr": match("true_range"),
    "atr_14": match("atr"),
    "natr_14": match("natr"),
    "bb_up_20_2": match("bollinger", "upper"),
    "bb_mid_20_2": match("bollinger", "middle"),
    "bb_lo_20_2": match("bollinger", "lower"),
    "adx_14": match("adx"),
    "plus_di_14": match("adx", "plus_di"),
    "minus_di_14": match("adx", "minus_di"),
    "stoch_k_14_3": match("stochastic", "k"),
    "stoch_d_3": match("stochastic", "d"),
    "stochf_k_14": match("stochastic", "k", k_smooth=1),
    "stochf_d_3": match("stochastic", "d", k_smooth=1),
    "donchian_up_20": match("donchian", "upper"),
    "donchian_lo_20": match("donchian", "lower"),
    "stddev_20": match("standard_deviation"),
    "roc_10": match("roc", period=10),
    # The typical price less its average, over 0.015 mean deviations: a quiet day's is a few ticks.
    "cci_20": match("cci", rounding=1e-9),
    "willr_14": match("williams_r"),
    "mom_10": match("momentum", period=10),
    "sar_02_2": match("parabolic_sar", "sar"),
    "wma_20": match("wma"),
    "kama_10": match("kama", period=10),
    "dema_20": match("dema"),
    "tema_20": match("tema"),
}


@cache
def market(folder: Path) -> pd.DataFrame:
    return candle_frame(load_candles(folder / "data" / "EURUSD_1h_2007-01-01_2018-12-31_oanda_bid.parquet"))


@cache
def golden(folder: Path) -> pd.DataFrame:
    table = pq.read_table(folder / "golden" / "indicators" / "EURUSD_1h_indicators_talib.parquet")
    return pd.DataFrame({name: table[name].to_numpy() for name in MATCHES})


@cache
def ours(folder: Path, column: str) -> Floats:
    indicator, output, params, _ = MATCHES[column]
    return calculate(catalogue().indicator(indicator), market(folder), params)[output].to_numpy()


def first_bar(column: str) -> int:
    """The index from which it no longer matters how an average was started; where our start is TA-Lib's, the first."""
    if column.startswith(("macd", "adx", "plus_di", "minus_di")):
        return (catalogue().indicator(MATCHES[column].indicator).bars_needed({}) or 1) - 1
    return 0


def test_every_column_of_the_golden_file_has_its_match(reference: Path) -> None:
    schema = pq.read_schema(reference / "golden" / "indicators" / "EURUSD_1h_indicators_talib.parquet")
    assert set(MATCHES) == set(schema.names) - {"timestamp"}


@pytest.mark.parametrize("column", MATCHES)
def test_it_equals_talib_on_every_bar(reference: Path, column: str) -> None:
    expected, found = golden(reference)[column].to_numpy(), ours(reference, column)
    assert len(expected) == len(found) == 74_439
    is_compared = ~np.isnan(expected) & (np.arange(len(found)) >= first_bar(column))
    assert is_compared.sum() > 73_000
    error = np.abs(found - expected)[is_compared]
    assert (error <= TOLERANCE * np.abs(expected[is_compared]) + MATCHES[column].rounding).all()  # a NaN of ours is not below anything


@pytest.mark.parametrize("column", [column for column, matched in MATCHES.items() if matched.rounding])
def test_what_counts_as_rounding_is_met_on_few_bars_only(reference: Path, column: str) -> None:
    expected, found = golden(reference)[column].to_numpy(), ours(reference, column)
    beyond = np.abs(found - expected)[first_bar(column) :] > TOLERANCE * np.abs(expected[first_bar(column) :])
    assert 0 < beyond.sum() < 20


def test_where_macd_passes_zero_ours_is_the_exact_one(reference: Path) -> None:
    closes = [Decimal(ticks) for ticks in np.rint(market(reference)["close"].to_numpy() * 100_000).tolist()]
    with localcontext(prec=40):
        fast, slow = exact_ema(closes, 12), exact_ema(closes, 26)
        exact = {bar: float((fast[bar] - slow[bar]) / 100_000) for bar in range(25, len(closes))}
    expected, found = golden(reference)["macd_12_26_9"].to_numpy(), ours(reference, "macd_12_26_9")
    apart = [
        bar for bar in range(first_bar("macd_12_26_9"), len(closes)) if abs(found[bar] - expected[bar]) > TOLERANCE * abs(expected[bar])
    ]
    assert len(apart) > 5
    assert all(abs(found[bar] - exact[bar]) < TOLERANCE * abs(exact[bar]) for bar in apart)


def test_where_cci_passes_zero_ours_is_the_exact_one(reference: Path) -> None:
    prices = np.rint(market(reference)[["high", "low", "close"]].to_numpy() * 100_000).astype(np.int64).sum(axis=1).tolist()
    expected, found = golden(reference)["cci_20"].to_numpy(), ours(reference, "cci_20")
    apart = np.flatnonzero(np.abs(found - expected) > TOLERANCE * np.abs(expected)).tolist()
    assert apart
    for bar in apart:
        window = [Fraction(price) for price in prices[bar - 19 : bar + 1]]
        middle = statistics.mean(window)
        exact = (window[-1] - middle) / (Fraction(15, 1000) * statistics.mean(abs(price - middle) for price in window))
        assert found[bar] == pytest.approx(float(exact), rel=1e-14)


def exact_ema(values: list[Decimal], period: int) -> list[Decimal]:
    average, weight = sum(values[:period], Decimal(0)) / period, Decimal(2) / (period + 1)
    averages = [Decimal(0)] * (period - 1) + [average]
    for value in values[period:]:
        average += weight * (value - average)
        averages.append(average)
    return averages


def test_the_spot_file_agrees_as_far_as_its_digits_go(reference: Path) -> None:
    path = reference / "golden" / "indicators" / "EURUSD_1h_indicators_talib_spot.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    checked = 0
    for row in rows:
        bar = int(row["row"])
        assert str(market(reference).index[bar]) == row["timestamp"]
        for column, matched in MATCHES.items():
            if row[column] and bar >= first_bar(column):
                assert ours(reference, column)[bar] == pytest.approx(float(row[column]), rel=1e-9, abs=max(matched.rounding, 1e-11))
                checked += 1
    assert checked > 400


@pytest.mark.parametrize(
    ("name", "first"),
    [("XAUUSD_1h_2012-05-17_2022-03-04_mt5_ejtrader", 0), ("USDJPY_1m_2018-01-01_2019-12-31_histdata_bid", 200_000)],
)
def test_on_real_markets_too_neither_future_nor_far_past_matters(reference: Path, name: str, first: int) -> None:
    """Gold with its daily break, and yen minutes, of which one in twelve closes where the one before did."""
    data = candle_frame(load_candles(reference / "data" / f"{name}.parquet")).iloc[first : first + 14_000]
    for dotted, checked in indicators().items():
        whole, late = calculate(checked, data), calculate(checked, data.iloc[2_000:])
        pd.testing.assert_frame_equal(calculate(checked, data.iloc[:9_000]), whole.iloc[:9_000], check_exact=True)
        needed = checked.bars_needed({})
        if needed is not None:
            assert difference(late.iloc[needed - 1 :], whole.iloc[2_000 + needed - 1 :]) is None, dotted


def test_the_comparison_sees_another_definition(reference: Path) -> None:
    """A sample's deviation instead of a population's, an average of 21 bars instead of 20: far beyond the tolerance."""
    expected = golden(reference)["stddev_20"].to_numpy()
    sample = ours(reference, "stddev_20") * np.sqrt(20 / 19)
    longer = calculate(catalogue().indicator("sma"), market(reference), {"period": Decimal(21)})["sma"].to_numpy()
    assert (np.abs(sample - expected)[19:] > TOLERANCE * expected[19:]).mean() > 0.99
    assert (np.abs(longer - golden(reference)["sma_20"].to_numpy())[20:] > TOLERANCE).mean() > 0.99
