"""What the foot of the window says of its connections, each with the age of the newest price that came by it."""

from sptrader_desktop.present.watchlist import age_text

NONE_WORDS = "not connected"


def connections_text(prices: str, prices_age: int | None, session: str, session_age: int | None) -> str:
    """`prices` is the state of live prices, `off` for none, and `session` of a live session; ages in microseconds, None before a price."""
    told = []
    if session != "off":
        told.append(f"session {session}{_tick(session_age)}")
    if prices != "off":
        told.append(f"prices {prices}{_tick(prices_age)}")
    return " · ".join(told) or NONE_WORDS


def _tick(age: int | None) -> str:
    return "" if age is None else f", tick {age_text(age)} ago"
