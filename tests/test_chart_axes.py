"""What stands on the axes of a chart: the arithmetic of frames and ranges, marks of time and of price, sessions of the day."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present import clocks
from sptrader_desktop.present.chart_frame import Bars, Frame
from sptrader_desktop.present.clocks import clock_text, local_time, stamp_of, zone_text
from sptrader_desktop.present.price_marks import nice_step, places_of, price_marks
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.sessions import CITIES, session_spans
from sptrader_desktop.present.time_marks import DAY, MONTH, TIME, YEAR, time_marks
from sptrader_desktop.present.zone_clock import read_stamp

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def market_hours(start: str, weeks: int, bar_us: int = HOUR_US) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Bars from Sunday 22:00 to Friday 21:00 UTC, about as FX trades."""
    stamps = np.arange(stamp(start), stamp(start) + weeks * 7 * DAY_US, bar_us)
    hour_of_week = (stamps // HOUR_US + 72) % 168  # 0 is Monday 00:00
    return stamps[(hour_of_week < 4 * 24 + 21) | (hour_of_week >= 6 * 24 + 22)]


def test_days_and_months_are_named_in_the_language_of_the_window_and_not_in_the_systems() -> None:
    """Qt puts the system's language in force, and with it strftime's names."""
    package = Path(clocks.__file__).parent.parent
    named = re.compile(r"strftime\(.*%[aAbBpcxX]|:%[^}\n]*[aAbBpcxX]\b|:%[aAbBpcxX]")
    assert [
        f"{path}: {line}" for path in package.rglob("*.py") for line in path.read_text("utf-8").splitlines() if named.search(line)
    ] == []
    assert clock_text(stamp("2024-03-05"), Zone.UTC, HOUR_US) == "Tue 2024-03-05 00:00"


# Frames and ranges


shares, switches = st.floats(0, 1), st.booleans()


@given(st.floats(-100, 1000), st.floats(1, 5000), st.floats(1, 1e6), st.floats(1, 1e5), switches, switches, shares, shares)
def test_pixels_and_values_are_each_others_inverse(
    first: float, span: float, low: float, reach: float, is_log: bool, is_inverted: bool, x: float, y: float
) -> None:
    ends = np.log10([low, low + reach]) if is_log else np.array([low, low + reach])
    frame = Frame(1600, 900, first, first + span, float(ends[0]), float(ends[1]), is_log, is_inverted)
    assert frame.x_of(frame.bar_at(x * 1600)) == pytest.approx(x * 1600, abs=1e-6)
    assert frame.y_of(frame.value_at(y * 900)) == pytest.approx(y * 900, abs=1e-3)
    assert (frame.value_at(0) > frame.value_at(900)) != is_inverted


def bars_of(count: int, first: float, span: float) -> Bars:
    return Bars(first, first + span, count)


ranges = st.builds(bars_of, st.integers(1, 10_000), st.floats(-20_000, 20_000), st.floats(8, 20_000))


@given(ranges, st.floats(-1e5, 1e5))
def test_moving_never_leaves_the_bars(bars: Bars, far: float) -> None:
    moved = bars.moved(far)
    assert moved.span == pytest.approx(bars.span)
    assert moved.first >= 0
    if bars.span * (1 - Bars.MARGIN) <= bars.count:
        assert moved.last <= bars.count + bars.span * Bars.MARGIN + 1e-6
    else:
        assert moved.first == 0


@given(ranges, st.floats(0.01, 100), st.floats(0, 1))
def test_zooming_keeps_the_bar_under_the_pointer_unless_the_end_is_reached(bars: Bars, factor: float, share: float) -> None:
    bars = bars.held()
    at = bars.first + share * bars.span
    zoomed = bars.zoomed(factor, at)
    assert Bars.LEAST - 1e-6 <= zoomed.span <= max(zoomed.most, bars.span) + 1e-6
    margin = zoomed.span * Bars.MARGIN
    if zoomed.first > 0 and zoomed.last < bars.count + margin - 1e-6:
        assert (at - zoomed.first) / zoomed.span == pytest.approx(share, abs=1e-6)


def test_the_newest_bars_end_with_a_small_margin() -> None:
    bars = Bars.newest(10_000, 200)
    assert bars.span == 200
    assert bars.last == pytest.approx(10_000 + 200 * Bars.MARGIN)
    assert Bars.newest(5, 200).first == 0


# Time


def test_time_marks_say_the_coarsest_unit_that_changes() -> None:
    stamps = market_hours("2023-12-25", 3)
    marks = time_marks(stamps, 0, len(stamps), 20, Zone.UTC)
    years = [mark for mark in marks if mark.rank == YEAR]
    assert [mark.text for mark in years] == ["2024"]
    assert local_time(int(stamps[years[0].bar]), Zone.UTC).year == 2024
    assert local_time(int(stamps[years[0].bar - 1]), Zone.UTC).year == 2023
    assert {"Tue 26", "Tue 2"} <= {mark.text for mark in marks if mark.rank == DAY}


def test_hours_are_marked_between_days_and_days_name_their_weekday() -> None:
    stamps = market_hours("2024-03-04", 1)
    marks = time_marks(stamps, 0, 48, 12, Zone.UTC)
    assert [mark.text for mark in marks if mark.rank == DAY] == ["Tue 5"]
    hours = [local_time(int(stamps[mark.bar]), Zone.UTC).hour for mark in marks if mark.rank == TIME]
    assert len(hours) >= 4
    assert {hour % 4 for hour in hours} == {0}


@given(st.integers(0, 1500), st.integers(10, 1500), st.integers(1, 30), st.sampled_from(list(Zone)))
def test_marks_are_few_ascending_and_stand_where_their_unit_begins(first: int, span: int, most: int, zone: Zone) -> None:
    stamps = market_hours("2024-01-01", 26)
    marks = time_marks(stamps, first, first + span, most, zone)
    assert len(marks) <= most
    bars = [mark.bar for mark in marks]
    assert bars == sorted(set(bars))
    assert all(first <= bar <= first + span for bar in bars)
    assert all(after - before >= 0.65 * span / most - 1e-9 for before, after in pairwise(bars))
    for mark in marks:
        now, before = (local_time(int(stamps[bar]), zone) for bar in (mark.bar, mark.bar - 1))
        units = ((YEAR, "%Y"), (MONTH, "%m"), (DAY, "%d"))
        changed = next((rank for rank, unit in units if f"{now:{unit}}" != f"{before:{unit}}"), TIME)
        assert mark.rank == changed


def test_a_weekend_takes_no_room_and_its_monday_is_named() -> None:
    stamps = market_hours("2024-03-04", 2)
    friday = int(np.searchsorted(stamps, stamp("2024-03-08T20:00")))
    assert stamps[friday + 1] - stamps[friday] == 50 * HOUR_US
    marks = time_marks(stamps, 0, len(stamps), 12, Zone.UTC)
    assert [mark.text for mark in marks] == ["Tue 5", "Wed 6", "Thu 7", "Fri 8", "Mon 11", "Tue 12", "Wed 13", "Thu 14", "Fri 15", "Sun 17"]


def test_new_york_marks_its_own_midnight_on_both_sides_of_the_change_of_clocks() -> None:
    stamps = np.arange(stamp("2024-03-08T00:00"), stamp("2024-03-13T00:00"), HOUR_US)
    marks = [mark for mark in time_marks(stamps, 0, len(stamps), 6, Zone.NEW_YORK) if mark.rank == DAY]
    hours = {mark.text: datetime.fromtimestamp(int(stamps[mark.bar]) / 1e6, UTC).hour for mark in marks}
    assert hours["Sat 9"] == 5
    assert hours["Tue 12"] == 4
    assert zone_text(Zone.NEW_YORK, stamp("2024-03-08T12:00")) == "New York UTC−5"
    assert zone_text(Zone.NEW_YORK, stamp("2024-03-12T12:00")) == "New York UTC−4"
    assert clock_text(stamp("2024-03-12T12:00"), Zone.NEW_YORK, HOUR_US) == "Tue 2024-03-12 08:00"


@given(st.integers(631_152_000 // 60, 2_114_380_800 // 60).map(lambda minutes: minutes * 60_000_000), st.sampled_from(list(Zone)))
def test_a_moment_shown_is_the_moment_written(at: int, zone: Zone) -> None:
    again = read_stamp(f"{local_time(at, zone):%Y-%m-%d %H:%M}", zone)
    assert again in {at, at - HOUR_US}  # the hour that clocks show twice means the first
    if zone is Zone.UTC:
        assert again == at


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "2024-02-30", "2024-03-05 25:00", "05.03.2024"])
def test_what_is_no_date_is_said_to_be_none(text: str) -> None:
    with pytest.raises(DataError, match="is not a date: write year, month and day"):
        read_stamp(text, Zone.UTC)


def test_dates_may_be_short() -> None:
    assert read_stamp("2024-03", Zone.UTC) == stamp("2024-03-01")
    assert read_stamp(" 2024-3-5 ", Zone.UTC) == stamp("2024-03-05")
    assert stamp_of(datetime.fromisoformat("2024-07-01T09:00"), Zone.NEW_YORK) == stamp("2024-07-01T13:00")


# Prices


@given(st.floats(0, 2e5), st.floats(1, 5e4), st.integers(100, 1500), st.booleans())
def test_price_marks_are_whole_ticks_apart_enough_and_within(low: float, reach: float, height: int, is_log: bool) -> None:
    low += 1
    ends = np.log10([low, low + reach]) if is_log else np.array([low, low + reach])
    frame = Frame(800, height, 0, 10, float(ends[0]), float(ends[1]), is_log)
    marks = price_marks(frame, 36)
    assert marks == sorted(marks)
    assert all(mark == round(mark) for mark in marks)
    rows = [frame.y_of(mark) for mark in marks]
    assert all(-1 <= row <= height + 1 for row in rows)
    assert all(before - after >= 36 - 1e-6 for before, after in pairwise(rows))


def test_marks_fill_the_axis() -> None:
    assert price_marks(Frame(800, 900, 0, 1, 107_000, 109_000), 40) == [107_000 + 100 * n for n in range(21)]


STEPS = [(0.9, 1, 0), (1, 1, 0), (1.1, 2, 0), (3, 5, 0), (51, 100, 0), (0.011, 0.02, 2), (0.5, 0.5, 1)]


@pytest.mark.parametrize(("least", "step", "places"), STEPS)
def test_steps_are_one_two_and_five(least: float, step: float, places: int) -> None:
    assert nice_step(least) == pytest.approx(step)
    assert places_of(step) == places
    assert Decimal(str(step)).quantize(Decimal(1).scaleb(-places)) == Decimal(str(step))


# Sessions


@pytest.mark.parametrize("day", ["2024-01-10", "2024-03-13", "2024-03-27", "2024-07-10", "2024-10-30", "2024-11-06"])
def test_sessions_open_by_the_clocks_of_their_cities(day: str) -> None:
    spans = session_spans(stamp(day), stamp(day) + DAY_US)
    assert {span.city for span in spans} == set(range(len(CITIES)))
    for span in spans:
        city = CITIES[span.city]
        opens, closes = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at) for at in (span.start, span.end))
        assert opens.astimezone(ZoneInfo(city.zone)).hour == city.opens
        assert closes.astimezone(ZoneInfo(city.zone)).hour == city.closes
        assert opens.astimezone(ZoneInfo(city.zone)).weekday() < 5


def test_london_overlaps_new_york_by_five_hours_in_the_weeks_between_two_changes_of_clocks() -> None:
    def overlap(day: str) -> int:
        spans = {CITIES[span.city].name: span for span in session_spans(stamp(day) + 6 * HOUR_US, stamp(day) + 20 * HOUR_US)}
        return (spans["London"].end - spans["New York"].start) // HOUR_US

    assert [overlap(day) for day in ("2024-03-06", "2024-03-13", "2024-04-03")] == [4, 5, 4]


def test_a_long_time_has_no_sessions() -> None:
    assert session_spans(0, 60 * DAY_US) == []
