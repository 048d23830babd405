"""Where in the stream of signals a session stands: what was handed on and has no outcome yet, and the place as the journal holds it."""

from dataclasses import dataclass, field

from sptrader_desktop.ports import FeedPosition


@dataclass(slots=True)
class Handed:
    """A signal without its outcome: where in the stream it stands, and which bar it is about."""

    symbol: str
    bar_time: int | None
    publisher: str = ""
    number: int = -1
    stream_ids: list[str] = field(default_factory=list)


def place_of(position: FeedPosition) -> str:
    entries = "" if position.entries is None else str(position.entries)
    return f"{position.stream_id}|{entries}|{position.content}".rstrip("|")


def position_of(place: str) -> FeedPosition | None:
    """What `place_of` said."""
    if not place:
        return None
    stream_id, entries, content = (place + "||").split("|")[:3]
    return FeedPosition(stream_id, int(entries) if entries else None, content)
