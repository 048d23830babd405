"""What stands at the guardian, in a person's words: whether somebody stopped everything, how far that came, and what re-arming means."""

from collections.abc import Mapping
from typing import Any

from sptrader_desktop.present.clocks import clock_text
from sptrader_desktop.present.live_view import micros
from sptrader_desktop.present.selection import Zone

Guard = Mapping[str, Any]
AGES = ("heartbeats",)  # what changes by itself
LEAST_REASON, LONGEST_REASON = 3, 60  # it is told with who says it, in a line of a hundred
SECOND_US = 1_000_000


def lasting(guard: Guard) -> dict[str, Any]:
    """Without what changes at every look."""
    return {key: value for key, value in guard.items() if key not in AGES}


def is_stopped(guard: Guard | None) -> bool:
    return bool(guard and guard["latch"])


def stopped_words(guard: Guard, zone: Zone) -> str:
    """Who stopped it and when, how far it came, and what holds until when."""
    latch = guard["latch"]
    when = f" on {clock_text(micros(latch['at']), zone, SECOND_US)}" if latch["at"] else ""
    closing = ", with all positions to be closed" if latch["flatten"] else ""
    steps = f" At the broker: {guard['stop']['says']}." if guard["stop"] else ""
    unkept = f" It is not on disk: {latch['unkept']}." if latch["unkept"] else ""
    return f"Stopped{when} by {latch['by']}{closing}. Nothing trades until a person re-arms.{steps}{unkept}"


def words(guard: Guard | None, zone: Zone) -> str:
    """What a person must know before anything trades: that it was stopped, or why nobody knows."""
    if guard is None:
        return ""
    found = guard["guardian"]
    return stopped_words(guard, zone) if guard["latch"] else str(found["says"]) if found and found["state"] == "silent" else ""


def hot_key_words(guard: Guard | None) -> str:
    """The key that is heard everywhere, or why there is none."""
    key = guard and guard.get("hot_key")
    if not key:
        return ""
    if key["state"] == "on":
        return f"From anywhere on this desktop {key['keys']} does it at once, and keeps positions."
    return f"No key is heard outside of this window: {key['why']}."


def reason_problem(reason: str) -> str:
    """What is wrong with a reason to re-arm."""
    return "" if len(reason.strip()) >= LEAST_REASON else "Say in a few words why it may trade again: it is written down"
