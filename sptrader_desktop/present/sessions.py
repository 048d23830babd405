"""When the cities that make the FX day are at their desks: Monday to Friday by their own clocks, daylight saving included."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sptrader_desktop.core.calendar import DAY_US, EPOCH, Session
from sptrader_desktop.present.clocks import EPOCH as BEGINNING
from sptrader_desktop.present.clocks import MICROSECOND

CITIES = (
    Session("Sydney", "Australia/Sydney", 8, 17),
    Session("Tokyo", "Asia/Tokyo", 9, 18),
    Session("London", "Europe/London", 8, 17),
    Session("New York", "America/New_York", 8, 17),
)
MOST_DAYS = 45  # more of them are a pattern that says nothing


class SessionSpan(NamedTuple):
    """From its opening to its close, microseconds UTC; `city` is its place in CITIES."""

    city: int
    start: int
    end: int


def session_spans(first: int, last: int) -> list[SessionSpan]:
    """All sessions that touch the time between two stamps, none where it is too long for them to be told apart."""
    if last - first > MOST_DAYS * DAY_US:
        return []
    days = [EPOCH + timedelta(days=day) for day in range(first // DAY_US - 1, last // DAY_US + 2)]
    spans = [
        SessionSpan(city, _instant(day, session.opens, session.zone), _instant(day, session.closes, session.zone))
        for city, session in enumerate(CITIES)
        for day in days
        if day.weekday() < 5
    ]
    return [span for span in spans if span.start < last and span.end > first]


def unshaded(first: int, last: int, bar_us: int) -> str:
    """Why no session is told apart there; nothing where each is."""
    if bar_us >= DAY_US:
        return "Trading sessions: every bar holds all of them, choose shorter ones"
    return f"Trading sessions: shown while at most {MOST_DAYS} days are in sight" if last - first > MOST_DAYS * DAY_US else ""


def _instant(day: date, hour: int, zone: str) -> int:
    return (datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC) - BEGINNING) // MICROSECOND
