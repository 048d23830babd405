"""The market's clock against plain zoneinfo arithmetic, stamp by stamp, above all in the weeks in which clocks change."""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.calendar import (
    HOUR_US,
    NEW_YORK_CLOSE,
    SESSION_NAMES,
    Roll,
    day_starts,
    financing_weights,
    session_of,
    trading_day,
    week_trading_day,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEW_YORK, LONDON, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Europe/London"), ZoneInfo("Asia/Tokyo")
NO_STAMPS = np.empty(0, np.int64)


def us(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def utc(text: str) -> int:
    return us(datetime.fromisoformat(text).replace(tzinfo=UTC))


def local(stamp: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=stamp)).astimezone(zone)


def day_number(day: date) -> int:
    return (day - EPOCH.date()).days


def naive_trading_day(stamp: int) -> int:
    return day_number((local(stamp, NEW_YORK).replace(tzinfo=None) + timedelta(hours=7)).date())


def naive_session(stamp: int) -> str:
    for name, zone, opens, closes in (("New York", NEW_YORK, 8, 17), ("London", LONDON, 8, 17), ("Asia", TOKYO, 9, 18)):
        clock = local(stamp, zone)
        if clock.weekday() < 5 and opens <= clock.hour < closes:
            return name
    return "other"


def naive_weight(previous: int, opened: int, every_day: bool) -> int:
    day, total = local(previous, NEW_YORK).date(), 0
    while day <= local(opened, NEW_YORK).date():
        roll = us(datetime.combine(day, time(17), NEW_YORK).astimezone(UTC))
        if previous < roll <= opened:
            total += 1 if every_day else (1, 1, 3, 1, 1, 0, 0)[day.weekday()]
        day += timedelta(days=1)
    return total


def sundays_of_change(year: int) -> list[date]:
    """The US changes on the second Sunday of March and the first of November, Europe on the last ones of March and October."""

    def sunday(month: int, from_day: int) -> date:
        start = date(year, month, from_day)
        return start + timedelta(days=6 - start.weekday())

    return [sunday(3, 8), sunday(11, 1), sunday(3, 25), sunday(10, 25)]


CHANGES = [day for year in range(2010, 2031) for day in sundays_of_change(year)]
# Full hours, where everything happens, and their neighbours; some days around a change of clocks, others anywhere in the years.
near_a_change = st.builds(
    lambda day, hours, beside: us(datetime.combine(day, time(), UTC)) + hours * HOUR_US + beside,
    st.sampled_from(CHANGES),
    st.integers(-24 * 8, 24 * 8),
    st.sampled_from([-1, 0, 0, 1]),
)
stamps = st.one_of(near_a_change, st.integers(utc("2010-01-01"), utc("2030-12-31")))
stamp_lists = st.lists(stamps, min_size=1, max_size=40)


def test_the_changes_of_clocks_are_where_the_zones_say() -> None:
    for year in range(2010, 2031):
        for zone, days in ((NEW_YORK, sundays_of_change(year)[:2]), (LONDON, sundays_of_change(year)[2:])):
            for day in days:
                midnight = datetime.combine(day, time(), zone)
                assert midnight.utcoffset() != (midnight + timedelta(days=1)).utcoffset()


@given(stamp_lists)
def test_a_trading_day_is_the_date_in_new_york_seven_hours_later(values: list[int]) -> None:
    expected = [naive_trading_day(stamp) for stamp in values]
    assert trading_day(np.array(values)).tolist() == expected
    assert trading_day(np.sort(values)).tolist() == sorted(expected)


def test_every_hour_of_twenty_years_is_on_its_day() -> None:
    hours = np.arange(utc("2010-01-01"), utc("2030-12-31"), HOUR_US)
    days = trading_day(hours)
    # A day that is 23 or 25 hours long is a Sunday or Monday of March or November; all others have 24.
    _, lengths = np.unique(days, return_counts=True)
    assert np.bincount(lengths[1:-1]).tolist() == [0] * 23 + [21, len(lengths) - 2 - 42, 21]
    sample = np.random.default_rng(7).integers(0, len(hours), 2_000)
    assert days[sample].tolist() == [naive_trading_day(int(stamp)) for stamp in hours[sample]]


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        ("2018-07-04T20:59:59.999999", "2018-07-04"),  # summer: 17:00 is 21:00 UTC
        ("2018-07-04T21:00:00", "2018-07-05"),
        ("2018-12-05T21:00:00", "2018-12-05"),  # winter: 22:00 UTC
        ("2018-12-05T22:00:00", "2018-12-06"),
        ("2018-03-11T21:00:00", "2018-03-12"),  # the Sunday on which New York changed and London did not
        ("2018-03-09T22:00:00", "2018-03-10"),  # the Friday before, past the close
    ],
)
def test_the_day_turns_at_seventeen_hours_by_the_clock(stamp: str, day: str) -> None:
    assert trading_day(np.array([utc(stamp)])).tolist() == [day_number(date.fromisoformat(day))]


@given(stamp_lists)
def test_day_starts_name_each_day_once_and_point_at_its_first_stamp(values: list[int]) -> None:
    values.sort()
    expected: dict[int, int] = {}
    for index, stamp in enumerate(values):
        expected.setdefault(naive_trading_day(stamp), index)
    days, starts = day_starts(np.array(values))
    assert dict(zip(days.tolist(), starts.tolist(), strict=True)) == expected
    assert days.tolist() == sorted(days.tolist())


@given(stamp_lists)
def test_a_day_that_rolls_at_midnight_utc_is_the_calendar_day(values: list[int]) -> None:
    assert trading_day(np.array(values), Roll(0, "UTC")).tolist() == [day_number(local(stamp, ZoneInfo("UTC")).date()) for stamp in values]


def test_a_roll_whose_local_date_is_ahead_of_utc_is_found() -> None:
    roll = utc("2018-07-04T20:00:00")  # 05:00 on the fifth in Tokyo
    days = trading_day(np.array([roll - 1, roll]), Roll(5, "Asia/Tokyo"))
    assert days.tolist() == [day_number(date(2018, 7, 5)), day_number(date(2018, 7, 6))]


def test_a_roll_at_an_hour_the_clocks_skip_happens_at_the_change() -> None:
    change = utc("2018-03-11T07:00:00")  # 02:00 in New York became 03:00
    days = trading_day(np.array([change - 1, change]), Roll(2, "America/New_York"))
    assert days.tolist() == [day_number(date(2018, 3, 11)), day_number(date(2018, 3, 12))]


def test_a_roll_at_an_hour_the_clocks_show_twice_happens_the_first_time() -> None:
    first = utc("2018-11-04T05:00:00")  # 01:00 in New York, and again an hour later
    days = trading_day(np.array([first - 1, first, first + HOUR_US, first + 2 * HOUR_US]), Roll(1, "America/New_York"))
    assert np.diff(days).tolist() == [1, 0, 0]


@given(stamp_lists)
def test_a_week_has_five_trading_days_and_its_weekend_counts_to_monday(values: list[int]) -> None:
    days = np.array([naive_trading_day(stamp) for stamp in values])
    for day, counted in zip(days.tolist(), week_trading_day(days).tolist(), strict=True):
        plain = EPOCH.date() + timedelta(days=day)
        while plain.weekday() > 4:
            plain += timedelta(days=1)
        assert counted == day_number(plain)


@given(st.lists(near_a_change, min_size=2, max_size=2), st.integers(1, 72), st.integers(2, 60), st.booleans())
def test_financing_weights_add_up_the_rolls_since_the_bar_before(ends: list[int], step: int, count: int, every_day: bool) -> None:
    # Bars in a row from one place, then a gap of any length to the last one.
    opens = sorted({*(ends[0] + n * step * HOUR_US // 4 for n in range(count)), max(ends)})
    expected = [0, *(naive_weight(a, b, every_day) for a, b in pairwise(opens))]
    assert financing_weights(np.array(opens), every_day).tolist() == expected


def test_a_week_of_hours_is_financed_for_seven_days() -> None:
    opens = np.arange(utc("2018-03-05T00:00:00"), utc("2018-03-12T22:00:00"), HOUR_US)
    weights = financing_weights(opens, every_day=False)
    charged = {str(local(int(opens[i]), NEW_YORK).strftime("%a %H:%M")): int(weights[i]) for i in np.flatnonzero(weights)}
    # Monday comes twice, both times with one day; New York changed its clocks in between.
    assert charged == {"Mon 17:00": 1, "Tue 17:00": 1, "Wed 17:00": 3, "Thu 17:00": 1, "Fri 17:00": 1}
    assert weights.sum() == 8
    assert financing_weights(opens, every_day=True).sum() == 8


def test_a_roll_without_a_bar_is_due_at_the_next_one() -> None:
    opens = np.array([utc("2018-07-04T20:00:00"), utc("2018-07-08T21:00:00"), utc("2018-07-08T22:00:00")])
    # Wednesday, Thursday and Friday in the gap, Saturday and Sunday for nothing.
    assert financing_weights(opens, every_day=False).tolist() == [0, 5, 0]
    assert financing_weights(opens, every_day=True).tolist() == [0, 5, 0]


def test_the_first_bar_owes_nothing_even_when_it_opens_at_the_roll() -> None:
    opens = np.array([utc("2018-07-05T21:00:00"), utc("2018-07-06T21:00:00")])
    assert financing_weights(opens, every_day=False).tolist() == [0, 1]


@given(stamp_lists)
def test_sessions_follow_the_clocks_of_their_cities(values: list[int]) -> None:
    assert [SESSION_NAMES[code] for code in session_of(np.array(values))] == [naive_session(stamp) for stamp in values]


@pytest.mark.parametrize(
    ("stamp", "session"),
    [
        ("2018-07-04T00:00:00", "Asia"),
        ("2018-07-04T07:00:00", "London"),  # Tokyo is still open
        ("2018-03-12T07:00:00", "Asia"),  # London keeps winter time for two more weeks
        ("2018-07-04T12:00:00", "New York"),  # London is still open
        ("2018-07-04T20:59:59.999999", "New York"),
        ("2018-07-04T21:00:00", "other"),
        ("2018-07-07T10:00:00", "other"),  # a Saturday
        ("2018-07-08T23:59:59", "other"),
        ("2018-07-09T00:00:00", "Asia"),
    ],
)
def test_where_sessions_overlap_the_one_that_opened_last_has_the_trade(stamp: str, session: str) -> None:
    assert SESSION_NAMES[session_of(np.array([utc(stamp)]))[0]] == session


def test_no_stamps_have_no_days_no_financing_and_no_session() -> None:
    days, starts = day_starts(NO_STAMPS)
    answers = (days, starts, trading_day(NO_STAMPS), financing_weights(NO_STAMPS, every_day=False), session_of(NO_STAMPS))
    assert [len(answer) for answer in answers] == [0] * 5


def test_shared_tables_of_hours_cannot_be_changed_by_who_gets_days() -> None:
    stamp = np.array([utc("2018-07-04T12:00:00")])
    trading_day(stamp)[:] = 0
    day_starts(stamp, NEW_YORK_CLOSE)[0][:] = 0
    assert trading_day(stamp).tolist() == [day_number(date(2018, 7, 4))]


def test_four_hour_candles_start_their_days_where_plain_counting_finds_them() -> None:
    opens = [utc("2016-02-28T20:00:00") + n * 4 * HOUR_US for n in range(400)]
    days, starts = day_starts(np.array(opens))
    naive = [naive_trading_day(stamp) for stamp in opens]
    assert starts.tolist() == [bisect_left(naive, day) for day in days.tolist()]
