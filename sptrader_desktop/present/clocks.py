"""Instants and the readings of a clock that a person chose, one into the other. Daylight saving is the zone's own."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from sptrader_desktop.present.selection import Zone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# The window speaks English whatever the system speaks; strftime's %a and %b would not.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def zone_info(zone: Zone) -> tzinfo | None:
    """None is the zone of this computer."""
    return {Zone.UTC: UTC, Zone.LOCAL: None, Zone.NEW_YORK: ZoneInfo("America/New_York")}[zone]


def local_time(stamp: int, zone: Zone) -> datetime:
    return (EPOCH + stamp * MICROSECOND).astimezone(zone_info(zone))


def moment_text(moment: datetime, zone: Zone) -> str:
    """To the second."""
    return f"{moment.astimezone(zone_info(zone)):%Y-%m-%d %H:%M:%S}"


def stamp_of(wall: datetime, zone: Zone) -> int:
    """A clock's reading, without a zone of its own, as microseconds UTC. Shown twice it means the first, skipped the change."""
    info = zone_info(zone)
    moment = wall.astimezone() if info is None else wall.replace(tzinfo=info)
    return (moment.astimezone(UTC) - EPOCH) // MICROSECOND


def zone_text(zone: Zone, stamp: int) -> str:
    """`UTC`, `New York UTC−5`, `local UTC+2`: as it is at that moment."""
    if zone is Zone.UTC:
        return "UTC"
    offset = local_time(stamp, zone).utcoffset() or timedelta()
    minutes = offset // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    return f"{zone.value} UTC{'−' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")


def clock_text(stamp: int, zone: Zone, bar_us: int) -> str:
    """`Tue 2024-03-05 14:00`; with seconds where bars are shorter than a minute, without hours where they are days."""
    moment = local_time(stamp, zone)
    return f"{WEEKDAYS[moment.weekday()]} {moment:{'%Y-%m-%d %H:%M:%S' if bar_us < 60_000_000 else '%Y-%m-%d %H:%M'}}"
