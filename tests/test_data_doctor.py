"""The data doctor finds every planted defect by its name and first row, and nothing beside it; clean markets are called sound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.present.data_findings import KINDS
from tests.data_defects import HOUR, PLANTERS, SECOND, clean_market, examine_market, inspect_market

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=15)
@given(SEEDS)
def test_a_clean_market_is_sound_and_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = clean_market(rng, *((HOUR, 8) if seed % 2 else (60 * SECOND, 1)), with_ask=bool(seed % 3 == 0))
    found = inspect_market(market)
    assert found.findings == ()
    assert found.is_sound
    assert (found.coverage.share, found.coverage.missing) == (1.0, ())


@pytest.mark.parametrize("kind", PLANTERS)
@settings(max_examples=12)
@given(seed=SEEDS)
def test_a_planted_defect_is_found_at_its_first_row_and_nothing_else_is_told(kind: str, seed: int) -> None:
    planted = PLANTERS[kind](np.random.default_rng(seed))
    found = inspect_market(planted.market)
    told = [(finding.kind, finding.count) for finding in found.findings if finding.severity != "note"]
    assert told == [(planted.kind, planted.count)]
    assert found.findings[0].first[0].row == planted.first
    assert not found.is_sound


def test_every_kind_that_matters_is_planted() -> None:
    assert PLANTERS.keys() == {kind for kind, about in KINDS.items() if about.severity != "note"}


@pytest.mark.parametrize("row", [0, 1, -1, -2])
def test_a_spike_is_found_at_either_end(row: int) -> None:
    market = clean_market(np.random.default_rng(2))
    found = inspect_market(market.put("low", row, 1.0))
    assert [(finding.kind, finding.count, finding.first[0].row) for finding in found.findings] == [("spike", 1, row % len(market) + 1)]


def test_a_price_that_jumps_and_stays_is_no_spike() -> None:
    market = clean_market(np.random.default_rng(2))
    for name in market.prices:
        market = market.put(name, slice(400, None), np.round(market.prices[name][400:] + 0.03, 5))
    assert inspect_market(market).findings == ()


def test_one_row_that_comes_too_early_is_told_and_not_all_that_follow() -> None:
    market = clean_market(np.random.default_rng(2))
    order = np.r_[0:100, 300, 100:300, 301 : len(market)]
    found = inspect_market(market.taken(order))
    assert [(finding.kind, finding.count, finding.first[0].row) for finding in found.findings] == [("unordered", 1, 101)]


def test_a_moved_point_inside_a_moved_stretch_is_measured_from_where_prices_are() -> None:
    market = clean_market(np.random.default_rng(2))
    for name in market.prices:
        market = market.put(name, slice(100, 120), market.prices[name][100:120] * 100)
    market = market.put("high", 110, market.prices["high"][110] * 10)
    shifts = examine_market(market).shifts
    powers = {
        (row, name): power for row, name, power in zip(shifts.row.tolist(), shifts.column.tolist(), shifts.power.tolist(), strict=True)
    }
    assert powers.pop((110, "high")) == 3
    assert powers == {(row, name): 2 for row in range(100, 120) for name in market.prices if (row, name) != (110, "high")}
