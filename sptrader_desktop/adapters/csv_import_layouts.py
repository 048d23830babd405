"""Which vendor writes like this and which column holds what: told by the header's words, without a header by the shape of the first row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sptrader_desktop.adapters.candle_layout import ASK_PRICES, PRICES, printable
from sptrader_desktop.adapters.csv_import_table import Table
from sptrader_desktop.core.candles import PriceSide
from sptrader_desktop.core.errors import DataError


@dataclass(frozen=True, slots=True)
class VendorLayout:
    """`zone` is the clock a vendor says it writes by; empty where it says nothing or every server has its own. `also` is another that its
    files are known to be on, so that the vendor's word is not enough where the two differ."""

    name: str
    zone: str = ""
    also: str = ""


PLAIN = VendorLayout("plain")
METATRADER = VendorLayout("metatrader")
HISTDATA = VendorLayout("histdata", "UTC-5", "America/New_York")
DUKASCOPY = VendorLayout("dukascopy", "UTC")
TRUEFX = VendorLayout("truefx", "UTC")
OANDA = VendorLayout("oanda", "UTC")
LEAN = VendorLayout("lean")
LAYOUTS = {each.name: each for each in (METATRADER, HISTDATA, DUKASCOPY, TRUEFX, OANDA, LEAN, PLAIN)}


@dataclass(frozen=True, slots=True)
class Recognised:
    """`columns` maps roles to columns: `stamp`, `date` and `time`, or `since_midnight`; `open` … `close` of `side` and perhaps
    `ask_open` …, or `bid` and `ask` of ticks; `volume`, `symbol`, `complete`. `unused` are the names of the others."""

    layout: VendorLayout
    columns: Mapping[str, int]
    unused: tuple[str, ...] = ()
    side: PriceSide | None = None

    @property
    def stamps(self) -> tuple[int, ...]:
        return tuple(self.columns[role] for role in ("stamp", "date", "time", "since_midnight") if role in self.columns)

    @property
    def is_ticks(self) -> bool:
        return "bid" in self.columns


_STAMP_WORDS = """
    timestamp datetime dateandtime datumzeit gmttime localtime utctime utc gmt timeutc timegmt datetimeutc datetimegmt timestamputc dateutc
    opentime opentimeutc timeopen candletime bartime starttime unix unixtime epoch timestampms
""".split()
_WORDS = {
    "stamp": _STAMP_WORDS,
    "date": ["date", "day", "datum", "dtyyyymmdd", "yyyymmdd", "tradedate"],
    "time": ["time", "timehhmm", "hhmm", "hhmmss", "zeit", "uhrzeit"],
    "symbol": ["symbol", "ticker", "instrument", "pair", "currencypair"],
    "complete": ["complete", "iscomplete"],
    "volume": ["volume", "tickvolume", "tickvol", "vol", "v", "volumen", "bidvolume"],
}
_PRICE_WORDS = {
    "open": ["open", "o", "openprice", "priceopen", "first", "op"],
    "high": ["high", "h", "highprice", "pricehigh", "max", "hi"],
    "low": ["low", "l", "lowprice", "pricelow", "min", "lo"],
    "close": ["close", "c", "closeprice", "priceclose", "last", "price", "cl"],
}
_QUOTES = {"bid": ["bid", "bidprice"], "ask": ["ask", "askprice", "offer"]}
_SIDES = ("bid", "ask", "mid")


def _role_words() -> Iterator[tuple[str, str]]:
    for role, words in (*_WORDS.items(), *_PRICE_WORDS.items(), *_QUOTES.items()):
        yield from ((word, role) for word in words)
    for role, words in _PRICE_WORDS.items():
        for side in _SIDES:
            yield from ((each, f"{side}_{role}") for word in words[:4] for each in (side + word, word + side))


_ROLES = dict(_role_words())


def is_header(cells: Sequence[str]) -> bool:
    """Words for at least three columns, prices among them."""
    roles = {_ROLES.get(_plain(cell)) for cell in cells} - {None}
    return len(roles) >= 3 and any(role in _QUOTES or role.endswith(PRICES) for role in roles if role)


def _plain(name: str) -> str:
    """`<TICK_VOL>`, `Tick Vol.` and `tickvol` are the same word; what stands in brackets is a remark."""
    return re.sub(r"[^a-z]", "", re.sub(r"\(.*?\)|\[.*?\]", "", name.lower()))


def is_any_header(cells: Sequence[str]) -> bool:
    """A row of words: no cell is a number. Rows of candles have prices."""
    return not any(re.fullmatch(r"[-+]?[\d.,]*\d[\d.,]*", cell) for cell in cells)


ROLES = ("stamp", "date", "time", *PRICES, "volume", *ASK_PRICES, "bid", "ask", "symbol")


def mapped(table: Table, columns: Mapping[str, int], told: str = "") -> Recognised:
    """By hand: `columns` maps roles to places, and what it leaves out is unused."""
    roles = set(columns)
    if "stamp" not in roles and not {"date", "time"} <= roles:
        raise DataError(f"{table.source}: no column is said to hold the time: choose one, or one of dates and one of times")
    wanted = ("bid", "ask") if roles & {"bid", "ask"} else (*PRICES, *(ASK_PRICES if roles & set(ASK_PRICES) else ()))
    missing = next((role for role in wanted if role not in roles), None)
    if missing:
        raise DataError(f"{table.source}: no column is said to hold the {missing.replace('_', ' ')}: choose it")
    chosen = {role: at for role, at in columns.items() if role != "date" or "stamp" not in roles}
    if "stamp" in roles:
        chosen.pop("time", None)
    used = set(chosen.values())
    unused = tuple(name for at, name in enumerate(table.names) if at not in used and name)
    return Recognised(LAYOUTS.get(told, PLAIN), chosen, unused, "bid" if "ask_open" in chosen else None)


def recognise(table: Table, told: str = "") -> Recognised:
    found = _by_header(table) if table.names else _by_shape(table, told)
    if told and found.layout.name != told:
        return Recognised(LAYOUTS[told], found.columns, found.unused, found.side)
    return found


# With a header


def _by_header(table: Table) -> Recognised:
    columns = _first_of_each(table)
    if "stamp" not in columns:
        lone = next((role for role in ("date", "time") if role in columns and not {"date", "time"} <= columns.keys()), None)
        if lone:
            columns["stamp"] = columns.pop(lone)
    elif "date" in columns and re.match(r"\d{1,2}:", table.columns[columns["stamp"]][0].as_py()):
        columns["time"] = columns.pop("stamp")  # a date, and a "timestamp" that is only a time
    else:
        columns.pop("date", None)
        columns.pop("time", None)
    side = _one_series(table, columns)
    used = set(columns.values())
    unused = tuple(printable(name) for at, name in enumerate(table.names) if at not in used and name)
    return Recognised(_vendor(table, columns), columns, unused, side)


def _first_of_each(table: Table) -> dict[str, int]:
    """Of several volumes the one named first in our list; two columns of prices under one name are a doubt."""
    columns: dict[str, int] = {}
    for at, name in enumerate(table.names):
        role = _ROLES.get(_plain(name))
        if role is None:
            continue
        if role not in columns:
            columns[role] = at
            continue
        ranked = sorted((columns[role], at), key=lambda each: _rank(role, table.names[each]))
        if _rank(role, table.names[ranked[0]]) == _rank(role, table.names[ranked[1]]) or role.endswith((*PRICES, "bid", "ask")):
            both = " and ".join(table.title(each) for each in sorted((columns[role], at)))
            raise DataError(f"{table.source}: the columns {both} could both be '{role}': rename or remove one of them")
        columns[role] = ranked[0]
    return columns


def _rank(role: str, name: str) -> int:
    return _WORDS.get(role, [_plain(name)]).index(_plain(name))


def _one_series(table: Table, columns: dict[str, int]) -> PriceSide | None:
    """Bid, ask and mid columns become candles of one side: bid with their asks, else mid, else ask."""
    if not {"stamp", "date"} & columns.keys():
        raise DataError(f"{table.source}: no column is named like a date or time ({_have(table)}): rename the column that holds it")
    main = next((prefix for prefix in ("", "bid_", "mid_", "ask_") if f"{prefix}open" in columns), "")
    if f"{main}open" not in columns and {"bid", "ask"} <= columns.keys():
        for role in PRICES:
            columns.pop(role, None)  # the last trade beside the quotes of a tick
        return None
    has_ask = main in ("", "bid_") and "ask_open" in columns
    wanted = [main + role for role in PRICES] + [f"ask_{role}" for role in PRICES if has_ask]
    missing = next((role for role in wanted if role not in columns), None)
    if missing:
        what = missing.replace("_", " ")
        raise DataError(f"{table.source}: no column is named like {what} ({_have(table)}): rename the columns, or export it again")
    prices = {role.removeprefix(main): columns[role] for role in wanted}
    for role in [role for role in columns if role.endswith(PRICES) or role in _QUOTES]:
        del columns[role]
    columns |= prices
    sides: dict[str, PriceSide] = {"bid_": "bid", "mid_": "mid", "ask_": "ask"}
    return "bid" if has_ask else sides.get(main)


def _have(table: Table) -> str:
    return "it has " + ", ".join(printable(name) for name in table.names[:12])


def _vendor(table: Table, columns: Mapping[str, int]) -> VendorLayout:
    """With the clock that the header names, as in `Gmt time` or `timestamp_utc`."""
    words = " ".join(table.names[columns[role]] for role in ("stamp", "date", "time") if role in columns)
    clock = re.search(r"(?<![a-z])(utc|gmt|eet|cet)(?![a-z])", words.lower().replace("_", " "))
    vendor = _vendor_named(table, columns)
    return VendorLayout(vendor.name, clock[1].upper().replace("GMT", "UTC") if clock else vendor.zone)


def _vendor_named(table: Table, columns: Mapping[str, int]) -> VendorLayout:
    words = {_plain(name) for name in table.names}
    if any(name.startswith("<") for name in table.names) or words & {"tickvolume", "realvolume"}:
        return METATRADER
    if words & {"gmttime", "localtime"}:
        return DUKASCOPY
    if "complete" in columns or any(re.fullmatch(r"(bid|ask|mid)\.[ohlc]", name.lower()) for name in table.names):
        return OANDA
    return PLAIN


# Without a header


@dataclass(frozen=True, slots=True)
class _Shape:
    """`cells` are patterns of the first row's first cells, `roles` of all cells; `-` is a column that is left out."""

    layout: VendorLayout
    cells: tuple[str, ...]
    roles: tuple[str, ...]


_OHLC = " ".join(PRICES)
_ASKS = " ".join(f"ask_{role}" for role in PRICES)
_DATE = r"\d{4}[-./]?\d{1,2}[-./]?\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}"
_CLOCK = r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?|\d{6}|\d{4}"


def _shape(layout: VendorLayout, cells: Sequence[str], roles: str) -> _Shape:
    return _Shape(layout, tuple(cells), tuple(roles.split()))


_SHAPES = (
    _shape(HISTDATA, [r"\d{8} \d{6}"], f"stamp {_OHLC} volume"),
    _shape(HISTDATA, [r"\d{8} \d{9}"], "stamp bid ask -"),
    _shape(TRUEFX, [r"[A-Z]{3}/[A-Z]{3}", r"\d{8} \d\d:\d\d:\d\d\.\d{3}"], "symbol stamp bid ask"),
    _shape(METATRADER, [r"\d{4}\.\d\d\.\d\d", r"\d\d:\d\d(:\d\d)?"], f"date time {_OHLC} volume"),
    _shape(METATRADER, [r"\d{4}\.\d\d\.\d\d", r"\d\d:\d\d(:\d\d)?"], f"date time {_OHLC}"),
    _shape(LEAN, [r"\d{8} \d\d:\d\d"], f"stamp {_OHLC} - {_ASKS} -"),
    _shape(LEAN, [r"\d{1,8}"], f"since_midnight {_OHLC} - {_ASKS} -"),
    _shape(LEAN, [r"\d{1,8}"], "since_midnight bid ask"),
    *(
        _shape(PLAIN, cells, f"{roles} {_OHLC}{volume}")
        for cells, roles in (
            ([_DATE, _CLOCK], "date time"),
            ([rf"({_DATE})([ T]+({_CLOCK}).*)?|\d{{9,16}}(\.\d+)?"], "stamp"),
        )
        for volume in (" volume", "")
    ),
)


def _by_shape(table: Table, told: str) -> Recognised:
    first = [column[0].as_py() for column in table.columns]
    for shape in _SHAPES:
        if len(shape.roles) == len(first) and all(
            re.fullmatch(pattern, cell, re.ASCII) for pattern, cell in zip(shape.cells, first, strict=False)
        ):
            unused = tuple(f"column {at + 1}" for at, role in enumerate(shape.roles) if role == "-")
            columns = {role: at for at, role in enumerate(shape.roles) if role != "-"}
            return Recognised(shape.layout, columns, unused, "bid" if "ask_open" in columns else None)
    line = printable(table.delimiter.join(first), 80)
    what = f"this is no {told} layout without a header" if told else "no layout is known that begins like this"
    raise DataError(
        f"{table.source}: line {table.lines.of(0)}: '{line}': {what}: put a header above it, such as timestamp,open,high,low,close,volume"
    )
