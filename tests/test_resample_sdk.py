"""Longer timeframes as components see them: only what was over, whatever comes later."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters.component_frames import candle_frame
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.resample import bar_closes, resample
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.sdk import average, higher_bars, higher_timeframe, last_closed
from tests.candle_builders import HOUR_US

START = int(datetime(2024, 3, 4, tzinfo=UTC).timestamp()) * 1_000_000
LONGER = ["1h", "4h", "1d", "1w"]


def candles(hours: Any, timeframe: str = "1h", seed: int = 3) -> Candles:
    rng = np.random.default_rng(seed)
    count = len(hours)
    closes = 110_000 + rng.integers(-30, 31, count).cumsum()
    opens = closes + rng.integers(-20, 21, count)
    highs, lows = np.maximum(opens, closes) + 4, np.minimum(opens, closes) - 4
    stamps = START + np.asarray(hours, np.int64) * HOUR_US
    volume = rng.integers(0, 50, count).astype(np.float64)
    prices = Prices(opens, highs, lows, closes)
    return Candles(CATALOGUE["EURUSD"], timeframe, parse_timeframe(timeframe), stamps, prices, volume=volume)


walks = st.lists(st.integers(1, 60), min_size=1, max_size=120).map(np.cumsum)


@settings(max_examples=40)
@given(walks, st.sampled_from(LONGER))
def test_each_row_shows_the_last_bar_that_was_over_at_its_close(hours: Any, timeframe: str) -> None:
    given_ = candles(hours)
    seen, longer = higher_timeframe(candle_frame(given_), timeframe), resample(given_, timeframe, unfinished=True)
    closes = bar_closes(longer.timestamp, timeframe).tolist()
    for row, opened in enumerate(given_.timestamp.tolist()):
        over = [bar for bar, closed in enumerate(closes) if closed <= opened + HOUR_US]
        got = seen.iloc[row]
        if not over:
            assert got.isna().all()
            continue
        expected = [getattr(longer.prices, name)[over[-1]] / 100_000 for name in ("open", "high", "low", "close")]
        assert got[["open", "high", "low", "close"]].tolist() == expected
        assert longer.volume is not None
        assert got["volume"] == longer.volume[over[-1]]


@settings(max_examples=40)
@given(walks, st.data(), st.sampled_from(LONGER))
def test_what_comes_later_never_changes_it(hours: Any, data: st.DataObject, timeframe: str) -> None:
    whole = candle_frame(candles(hours))
    cut = data.draw(st.integers(1, len(whole)))
    altered = whole.copy()
    altered.iloc[cut:] *= 1.5
    seen = higher_timeframe(whole, timeframe).iloc[:cut]
    pd.testing.assert_frame_equal(higher_timeframe(whole.iloc[:cut], timeframe), seen, check_exact=True)
    pd.testing.assert_frame_equal(higher_timeframe(altered, timeframe).iloc[:cut], seen, check_exact=True)


def test_an_indicator_of_longer_bars_comes_back_to_the_rows() -> None:
    data = candle_frame(candles(np.arange(240)))
    bars = higher_bars(data, "4h")
    slow = last_closed(data, average(bars, "close", 3), "4h")
    assert bars.attrs["timeframe"] == "4h"
    assert slow.index.equals(data.index)
    assert slow.isna().sum() == 11
    for row in (11, 100, 239):
        closed = data["close"].iloc[3 : row + 1 : 4].tail(3)
        assert slow.iloc[row] == pytest.approx(closed.mean(), rel=1e-12)


def test_no_bar_that_is_over_is_no_value() -> None:
    data = candle_frame(candles([0, 1, 2]))
    assert len(higher_bars(data, "1d")) == 0
    assert higher_timeframe(data, "1d").isna().all(axis=None)
    assert len(higher_timeframe(data.iloc[:0], "1d")) == 0


def test_a_finer_timeframe_and_data_of_unknown_timeframe_are_refused() -> None:
    data = candle_frame(candles([0, 1, 2], "4h"))
    with pytest.raises(DataError, match="1h is finer than the candles, which are 4h"):
        higher_timeframe(data, "1h")
    with pytest.raises(DataError, match="the bar of 2024-03-04T20:00:00Z reaches over 2024-03-04T22:00:00Z"):
        higher_timeframe(candle_frame(candles([16, 20], "4h")), "1d")
    data.attrs = {}
    with pytest.raises(DataError, match=r"data\.attrs has no timeframe"):
        higher_timeframe(data, "1d")
