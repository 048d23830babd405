"""What the download asks, and what is to be known of each vendor."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vendor:
    """`timeframes` are offered; others that make whole bars may be typed."""

    key: str
    name: str
    gives: str
    terms: str
    timeframes: tuple[str, ...]


_TERMS = (
    "gives its history away free of charge, under terms of use of its own that stand on {}: read them before you use or pass on the data."
)
VENDORS = (
    Vendor(
        "dukascopy",
        "Dukascopy",
        "Bid and ask, from 2003 for the oldest pairs. Whole hours come from hourly files (one a month), whole minutes from minute files "
        "(one a day), seconds and ticks from files of quotes (one an hour).",
        f"Dukascopy {_TERMS.format('dukascopy.com')}",
        ("1h", "4h", "1d", "1m", "5m", "15m", "30m", "1s", "tick"),
    ),
    Vendor(
        "histdata",
        "HistData",
        "Minutes and longer are bid only, from 2000 for the oldest pairs: a file a year, of this year one a month. Seconds and ticks are "
        "bid and ask, from files of quotes (one a month).",
        f"HistData {_TERMS.format('histdata.com')}",
        ("1h", "4h", "1d", "1m", "5m", "15m", "30m", "1s", "tick"),
    ),
)
