"""A calendar of coverage: every bar and every gap is counted on its trading day, and nothing twice."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.candle_findings import days_of, inspection_of
from sptrader_desktop.adapters.candle_inspection import Examined
from sptrader_desktop.present.coverage_days import NO_DAYS, CoverageDays, coverage_days, covered
from sptrader_desktop.present.data_findings import KINDS
from sptrader_desktop.present.doctor import STATES, DayState, Doctored, calendar_words, doctored
from sptrader_desktop.present.market_hours import market_hours
from tests.data_defects import HOUR, NEW_YORK, SECOND, clean_market, examine_market, week_hours

NOTHING: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}


def day_in_new_york(stamp: int) -> int:
    """By the wall clock, asked of the zone: from five in the afternoon it is the next day."""
    wall = datetime.fromtimestamp(stamp // SECOND, UTC).astimezone(NEW_YORK) + timedelta(hours=7)
    return (wall.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days


def slots_one_by_one(stamps: list[int], bar: int, every_day: bool) -> tuple[dict[int, int], dict[int, int]]:
    """Present and missing bars of each day, slot after slot."""
    closed = market_hours(np.array(stamps), bar, every_day).closed
    spans = list(zip(closed.start.tolist(), closed.end.tolist(), strict=True))

    def is_open(middle: int) -> bool:
        return not any(start <= middle < end for start, end in spans)

    present: dict[int, int] = {}
    missing: dict[int, int] = {}
    for place, stamp in enumerate(stamps):
        if is_open(stamp + bar // 2):
            present[day_in_new_york(stamp + bar // 2)] = present.get(day_in_new_york(stamp + bar // 2), 0) + 1
        after = stamps[place + 1] if place + 1 < len(stamps) else stamp + bar
        for slot in range(stamp + bar, after - bar + 1, bar):
            if is_open(slot + bar // 2):
                missing[day_in_new_york(slot + bar // 2)] = missing.get(day_in_new_york(slot + bar // 2), 0) + 1
    return present, missing


def by_day(days: CoverageDays, column: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> dict[int, int]:
    return {int(day): int(count) for day, count in zip(days.days, column, strict=True) if count}


@st.composite
def holed(draw: st.DrawFn) -> tuple[list[int], int, bool]:
    """Hours or half days of a few weeks around a change of clocks, of which some are gone, and long runs."""
    first = datetime(2024, draw(st.sampled_from([2, 3, 10, 11, 12])), draw(st.integers(1, 28)), tzinfo=UTC)
    every_day = draw(st.booleans())
    bar = draw(st.sampled_from([HOUR, 4 * HOUR, HOUR // 4]))
    whole = week_hours(draw(st.integers(1, 3)), HOUR, first).tolist()
    stamps = [at for at in whole if at % bar == 0] if bar > HOUR else [at + part for at in whole for part in range(0, HOUR, bar)]
    gone = draw(st.lists(st.tuples(st.integers(0, len(stamps)), st.integers(1, 200)), max_size=6))
    for start, length in gone:
        del stamps[start : start + length]
    return stamps or [whole[0]], bar, every_day


@given(holed())
def test_bars_and_gaps_are_counted_on_the_day_they_belong_to(market: tuple[list[int], int, bool]) -> None:
    stamps, bar, every_day = market
    days = coverage_days(np.array(stamps), bar, every_day, NOTHING)
    present, missing = slots_one_by_one(stamps, bar, every_day)
    assert by_day(days, days.present) == present
    assert by_day(days, days.expected - days.present) == missing
    assert int(days.bars.sum()) == len(stamps)
    assert (int(days.present.sum()), int(days.expected.sum())) == covered(np.array(stamps), bar, every_day)
    assert np.array_equal(np.diff(days.days), np.ones(len(days) - 1, np.int64))


def test_days_begin_when_the_clocks_of_new_york_show_five() -> None:
    stamps = week_hours(3, HOUR, datetime(2024, 3, 3, 10, tzinfo=UTC))
    days = coverage_days(stamps, HOUR, False, NOTHING)
    walls = [datetime.fromtimestamp(at // SECOND, UTC).astimezone(ZoneInfo("America/New_York")) for at in days.opens.tolist()]
    assert {(wall.hour, wall.minute) for wall in walls} == {(17, 0)}
    assert len(days) == 19
    assert {int(count) for count in days.expected} == {24, 0}, "Mondays to Fridays have 24 hours, weekends none"


def test_daily_and_weekly_bars_are_bars_of_one_day() -> None:
    opens = week_hours(30, HOUR, datetime(2024, 1, 7, 10, tzinfo=UTC))
    daily = np.array([at for at in opens.tolist() if (datetime.fromtimestamp(at // SECOND, UTC).astimezone(NEW_YORK)).hour == 17])
    days = coverage_days(daily, 24 * HOUR, False, NOTHING)
    assert set(days.bars.tolist()) <= {0, 1}
    assert int(days.expected.sum()) == len(daily)
    without = coverage_days(np.delete(daily, [20, 21, 22]), 24 * HOUR, False, NOTHING)
    assert int((without.expected - without.present).sum()) == 3


def test_without_stamps_there_are_no_days() -> None:
    assert len(coverage_days(np.empty(0, np.int64), HOUR, False, NOTHING)) == len(NO_DAYS) == 0
    assert doctored(inspection_of(examine_market(clean_market(np.random.default_rng(1)))), NO_DAYS).cells == ()


def looked_at(examined: Examined) -> Doctored:
    return doctored(inspection_of(examined), days_of(examined))


@pytest.mark.parametrize(
    ("name", "change", "state"),
    [
        ("high", lambda value: value / 2, DayState.REFUSED),
        ("close", lambda value: value * 10, DayState.REFUSED),
    ],
)
def test_a_bad_row_marks_its_day_and_no_other(name: str, change: object, state: DayState) -> None:
    market = clean_market(np.random.default_rng(3))
    row = 400
    market = market.put(name, row, change(market.prices[name][row]))  # type: ignore[operator]
    examined = examine_market(market)
    cells = looked_at(examined).cells
    bad = [cell for cell in cells if cell.state in (DayState.REFUSED, DayState.DOUBTFUL)]
    assert [cell.day for cell in bad] == [day_in_new_york(int(market.stamps[row]) + HOUR // 2)]
    assert bad[0].state is state
    kind = inspection_of(examined).findings[0].kind
    assert f"1 × {kind}" in bad[0].text
    assert KINDS[kind].severity in ("refused", "doubtful")


def test_an_empty_day_and_a_thin_one_are_told_with_their_bars() -> None:
    market = clean_market(np.random.default_rng(4))
    days = np.array([day_in_new_york(int(at) + HOUR // 2) for at in market.stamps])
    full = [int(day) for day, count in zip(*np.unique(days, return_counts=True), strict=True) if count == 24]
    empty, thin = full[5], full[12]
    kept = (days != empty) & ~((days == thin) & (np.arange(len(days)) % 2 == 0))
    examined = examine_market(market.taken(np.flatnonzero(kept)))
    cells = {cell.day: cell for cell in looked_at(examined).cells}
    assert cells[empty].state is DayState.EMPTY
    assert "0 of 24 bars" in cells[empty].text
    assert cells[thin].state is DayState.THIN
    assert "12 of 24 bars (50.0 %)" in cells[thin].text
    assert (
        f"; 1 of {sum(cell.state is not DayState.CLOSED for cell in cells.values())} trading days (17:00 New York) empty"
        in calendar_words(looked_at(examined))
    )


def test_states_that_mean_harm_differ_by_more_than_colour() -> None:
    letters = [STATES[state][0] for state in (DayState.REFUSED, DayState.DOUBTFUL, DayState.EMPTY, DayState.WHOLE)]
    assert len(set(letters)) == len(letters)
