"""The same market week as each vendor would write it: plain Python that knows no adapter, so that what the import reads can be compared."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices in ticks of 0.00001."""

    opens: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int


def market(first: datetime, weeks: int = 4, minutes: int = 60) -> list[Bar]:
    """From Sunday to Friday, 17:00 in New York."""
    return list(_bars(first, weeks, minutes))


def _bars(first: datetime, weeks: int, minutes: int) -> Iterator[Bar]:
    at, end, price, n = first, first + timedelta(weeks=weeks), 110_000, 0
    while at < end:
        local = at.astimezone(NEW_YORK)
        sunday_night = local.weekday() == 6 and local.hour >= 17
        if sunday_night or local.weekday() < 4 or (local.weekday() == 4 and local.hour < 17):
            close = price + (n * 7919) % 41 - 20
            yield Bar(at, price, max(price, close) + n % 5, min(price, close) - n % 3, close, n % 90 + 1)
            price = close + n % 2
            n += 1
        at += timedelta(minutes=minutes)


def price(ticks: int, mark: str = ".") -> str:
    return f"{ticks // 100_000}{mark}{ticks % 100_000:05d}"


Writer = Callable[[list[Bar], tzinfo], str]


def _rows(bars: list[Bar], zone: tzinfo, stamp: Callable[[datetime], str], delimiter: str, *, mark: str = ".", more: str = "") -> str:
    lines = []
    for bar in bars:
        prices = (price(value, mark) for value in (bar.open, bar.high, bar.low, bar.close))
        lines.append(delimiter.join([stamp(bar.opens.astimezone(zone)), *prices, str(bar.volume)]) + more)
    return "\n".join(lines) + "\n"


def _as(pattern: str) -> Callable[[datetime], str]:
    return lambda at: at.strftime(pattern)


def metatrader_5(bars: list[Bar], zone: tzinfo) -> str:
    head = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
    return head + _rows(bars, zone, _as("%Y.%m.%d\t%H:%M:%S"), "\t", more="\t0\t7")


def metatrader_4(bars: list[Bar], zone: tzinfo) -> str:
    return _rows(bars, zone, _as("%Y.%m.%d,%H:%M"), ",")


def metatrader_points(bars: list[Bar], zone: tzinfo) -> str:
    """Multiplied in floating point."""
    lines = ["Date,open,high,low,close,tick_volume"]
    for bar in bars:
        prices = f"{bar.open}.0,{bar.high - 1}.99999999999,{bar.low}.00000000001,{bar.close}.0"
        lines.append(f"{bar.opens.astimezone(zone):%Y-%m-%d %H:%M:%S},{prices},{bar.volume}")
    return "\n".join(lines) + "\n"


def histdata(bars: list[Bar], zone: tzinfo) -> str:
    return _rows(bars, zone, _as("%Y%m%d %H%M%S"), ";")


def dukascopy(bars: list[Bar], zone: tzinfo) -> str:
    return "Gmt time,Open,High,Low,Close,Volume\n" + _rows(bars, zone, _as("%d.%m.%Y %H:%M:%S.000"), ",")


def dukascopy_local(bars: list[Bar], zone: tzinfo) -> str:
    return "Local time,Open,High,Low,Close,Volume\n" + _rows(bars, zone, _as("%d.%m.%Y %H:%M:%S.000 GMT%z"), ",")


def oanda(bars: list[Bar], zone: tzinfo) -> str:
    lines = ["time,complete,volume,bid.o,bid.h,bid.l,bid.c,ask.o,ask.h,ask.l,ask.c,mid.o"]
    for bar in bars:
        four = (bar.open, bar.high, bar.low, bar.close)
        sides = ",".join(price(value + spread) for spread in (0, 14) for value in four)
        lines.append(f"{bar.opens.astimezone(zone):%Y-%m-%dT%H:%M:%S}.000000000Z,True,{bar.volume},{sides},{price(bar.open + 7)}")
    return "\n".join([*lines, lines[-1].replace("True", "False")]).replace("\n", "\r\n")


def oanda_unix(bars: list[Bar], zone: tzinfo) -> str:
    lines = [f"{bar.opens.timestamp():.9f},{','.join(price(v) for v in (bar.open, bar.high, bar.low, bar.close))}" for bar in bars]
    return "time,mid_o,mid_h,mid_l,mid_c\n" + "\n".join(lines)


def lean(bars: list[Bar], zone: tzinfo) -> str:
    lines = []
    for bar in bars:
        bid, ask = (",".join(price(value + spread) for value in (bar.open, bar.high, bar.low, bar.close)) for spread in (0, 9))
        lines.append(f"{bar.opens.astimezone(zone):%Y%m%d %H:%M},{bid},0,{ask},0")
    return "\n".join(lines)


def german(bars: list[Bar], zone: tzinfo) -> str:
    return "Datum;Uhrzeit;Open;High;Low;Close;Vol\n" + _rows(bars, zone, _as("%d.%m.%Y;%H:%M"), ";", mark=",")


def american(bars: list[Bar], zone: tzinfo) -> str:
    head = '"Date","Time","Open Price","High Price","Low Price","Last Price","Volume"\n'
    return head.replace("Last Price", "Close Price") + _rows(bars, zone, _as('"%m/%d/%Y","%I:%M:%S %p"'), ",")


def milliseconds(bars: list[Bar], zone: tzinfo) -> str:
    return "timestamp_ms,O,H,L,C,V\n" + _rows(bars, zone, lambda at: f"{int(at.timestamp())}000", ",")


def newest_first(bars: list[Bar], zone: tzinfo) -> str:
    return "Date,Price,Open,High,Low,Vol.\n" + "\n".join(
        f"{bar.opens.astimezone(zone):%d-%b-%Y %H:%M},{','.join(price(v) for v in (bar.close, bar.open, bar.high, bar.low))},-"
        for bar in reversed(bars)
    )


def undivided(bars: list[Bar], zone: tzinfo) -> str:
    return _rows(bars, zone, _as("%Y%m%d%H%M%S"), ",").replace(",", "|")


def written(folder: Path, text: str, name: str = "EURUSD export.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


SPRING = datetime(2024, 2, 25, 22, tzinfo=UTC)  # weeks in which America's clocks are changed, and three later Europe's
AUTUMN = datetime(2023, 10, 15, 21, tzinfo=UTC)  # the other way round
