"""The data doctor finds every planted defect by its name and first row, and nothing beside it; clean markets are called sound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.present.data_findings import KINDS
from tests.data_defects import HOUR, PLANTERS, SECOND, clean_market, inspect_market

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
