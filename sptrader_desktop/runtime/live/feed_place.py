"""A place in the stream of signals, as the journal holds it."""

from sptrader_desktop.ports import FeedPosition


def place_of(position: FeedPosition) -> str:
    return position.stream_id if position.entries is None else f"{position.stream_id}|{position.entries}"


def position_of(place: str) -> FeedPosition | None:
    """What `place_of` said."""
    if not place:
        return None
    stream_id, _, entries = place.partition("|")
    return FeedPosition(stream_id, int(entries) if entries else None)
