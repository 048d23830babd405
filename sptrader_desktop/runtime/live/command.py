"""A person's command to a live session, as whoever passes it on knows it: light, since a window does too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sptrader_desktop.core.errors import SptraderError

WORDS = ("pause", "resume", "stop", "restart_service", "close", "cancel", "flatten", "rearm", "emergency_stop")
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Command:
    """`about` is a symbol for pause, resume, rearm and restart_service (nothing: all; for a restart a service may follow it), a position's
    number for close, an order's id for cancel, `flatten` for an emergency stop that closes all positions too.
    """

    what: str
    about: str
    by: str


def command_of(message: Mapping[str, Any]) -> Command:
    """As it came from wherever; SptraderError where it is not three short texts."""
    return Command(_text(message, "what"), _text(message, "about"), _text(message, "by") or "somebody")


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise SptraderError(f"{key} is one line of text with at most {LONGEST} characters: nothing was done")
    return value
