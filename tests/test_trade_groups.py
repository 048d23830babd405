"""Pictures of a run add up to its net, to the last unit, whatever the market; figures read the same from a run and from its document."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.metrics_trades import net_results
from sptrader_desktop.present import trade_groups
from sptrader_desktop.present.metric_words import METRICS, figure_of, kept_figure
from sptrader_desktop.present.result_json import render, result_document
from sptrader_desktop.present.result_words import certainty_line, coverage_lines, net_line, range_line, subject_line
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.trade_groups import Bucket, Group
from sptrader_desktop.present.zone_clock import wall_times
from tests.documents import keys_told
from tests.small_runs import small_run
from tests.test_result_tables import SEEDS, market


def test_every_picture_adds_up_to_the_net_of_its_trades() -> None:
    for seed in SEEDS:
        result, _ = market(seed)
        net = int(net_results(result.outcome.trades).sum())
        count = len(result.outcome.trades)
        every: list[Sequence[Group | Bucket]] = [
            *(trade_groups.by_hour(result, zone) for zone in Zone),
            *(trade_groups.by_weekday(result, zone) for zone in Zone),
            trade_groups.by_session(result),
            trade_groups.distribution(result),
        ]
        for groups in every:
            assert sum(group.pnl for group in groups) == net
            assert sum(group.trades for group in groups) == count
        years = trade_groups.calendar_of(result.metrics.by_year, result.metrics.by_month)
        assert sum(month.pnl for year in years for month in year.months if month) == result.metrics.total_pnl
        assert sum(year.total.pnl for year in years) == result.metrics.total_pnl
        for year in years:
            assert sum(month.trades for month in year.months if month) == year.total.trades


def test_buckets_touch_keep_wins_from_losses_and_are_round_and_few() -> None:
    for seed in SEEDS:
        result, _ = market(seed)
        buckets = trade_groups.distribution(result)
        net = net_results(result.outcome.trades)
        assert len(buckets) <= trade_groups.BUCKETS
        assert [bucket.low for bucket in buckets[1:]] == [bucket.high for bucket in buckets[:-1]]
        for bucket in buckets:
            assert bucket.low >= 0 or bucket.high <= 0
            own = net[(net >= bucket.low) & (net < bucket.high)]
            assert (bucket.trades, bucket.pnl) == (len(own), int(own.sum()))
            assert str(bucket.high - bucket.low).strip("0") in {"1", "2", "5"}


@given(st.lists(st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)), min_size=1, max_size=20))  # noqa: DTZ001 # given a zone below
def test_a_zones_clock_is_what_python_says(moments: list[datetime]) -> None:
    aware = [moment.replace(tzinfo=UTC, microsecond=0) for moment in moments]
    stamps = np.array([int(moment.timestamp()) * 1_000_000 for moment in aware], np.int64)
    expected = [moment.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=UTC) for moment in aware]
    found = [datetime.fromtimestamp(stamp / 1_000_000, UTC) for stamp in wall_times(stamps, Zone.NEW_YORK).tolist()]
    assert found == expected


def test_the_hours_around_a_change_of_clocks_are_right() -> None:
    change = int(datetime(2024, 3, 10, 7, tzinfo=UTC).timestamp()) * 1_000_000
    stamps = np.array([change - 1_000_000, change], np.int64)
    assert (wall_times(stamps, Zone.NEW_YORK) // 3_600_000_000 % 24).tolist() == [1, 3]


def test_figures_read_the_same_from_a_run_and_from_its_document() -> None:
    for seed in SEEDS:
        result, document = market(seed)
        for word in METRICS:
            assert kept_figure(document["metrics"], word.path) == figure_of(result.metrics, word.path), word.path
    assert kept_figure({"trades": {}}, "trades.best") is None


def test_every_figure_has_a_definition_and_the_guide_knows_its_name() -> None:
    guide = (Path(__file__).resolve().parent.parent / "docs" / "guide.md").read_text(encoding="utf-8")
    defined = set(keys_told(guide, "in `metrics`"))
    assert {word.path for word in METRICS} <= defined
    assert all(word.meaning.endswith(".") for word in METRICS)
    assert len({word.title for word in METRICS}) == len(METRICS)


@pytest.mark.parametrize(
    ("path", "value", "base", "text", "difference"),
    [
        ("total_pnl", 412_000_000_000, 400_000_000_000, "+4,120.00 USD", "+120.00 USD"),
        ("drawdown.depth", 0.125, 0.1, "12.50 %", "+2.50 points"),
        ("trades.total", 1200, 1300, "1,200", "-100"),
        ("trades.commission", 500_000_000, 200_000_000, "-5.00 USD", "-3.00 USD"),
        ("trades.average_hours", 7.5, 7.0, "7.5 h", "+0.5 h"),
        ("daily.sharpe", None, 1.0, "–", "–"),
    ],
)
def test_a_figure_is_written_in_its_unit(path: str, value: float | None, base: float, text: str, difference: str) -> None:
    word = next(word for word in METRICS if word.path == path)
    assert (word.text(value, "USD"), word.difference(value, base, "USD")) == (text, difference)


@pytest.mark.parametrize(
    ("symbols", "named"),
    [(1, "EURUSD"), (3, "EURUSD, GBPUSD, USDJPY"), (5, "EURUSD, GBPUSD and 3 more")],
)
def test_what_figures_are_of_names_few_symbols_and_counts_many(symbols: int, named: str) -> None:
    result = small_run()
    (candles,) = result.request.traded
    traded = tuple(
        replace(candles, instrument=CATALOGUE[symbol]) for symbol in ("EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCAD")[:symbols]
    )
    assert subject_line(replace(result, request=replace(result.request, traded=traded))) == f"by_eye · {named} 1h"
    longer = (*traded, replace(candles, timeframe="4h", instrument=CATALOGUE["NZDUSD"]))
    assert subject_line(replace(result, request=replace(result.request, traded=longer))).endswith(" 1h and 4h"), "each has its own"


def test_the_net_says_how_sure_it_is() -> None:
    result = small_run()
    assert net_line(result) == "Net +12.20 USD (+0.12 %)"
    assert certainty_line(result) == "between +12.20 and +62.20 USD; 1 of 4 trades ambiguous"
    assert range_line(result) == "EURUSD 1h, 2024-01-02 08:00 to 2024-01-02 17:00 UTC, 10 bars"
    assert coverage_lines(result)[0].startswith("EURUSD: coverage 100.00 %")
    assert json.loads(render(result_document(result, {})))["equity_band"]["high"] == "62.20"
