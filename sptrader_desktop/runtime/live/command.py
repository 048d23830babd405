"""A person's command to a live session, as whoever passes it on knows it: light, since a window does too."""

from dataclasses import dataclass

WORDS = ("pause", "resume", "stop", "restart_service", "close", "cancel", "flatten", "rearm", "emergency_stop")


@dataclass(frozen=True, slots=True)
class Command:
    """`about` is a symbol for pause, resume and restart_service (nothing: all; there a service may follow it), a position's number for
    close, an order's id for cancel, `flatten` for an emergency stop that closes all positions too.
    """

    what: str
    about: str
    by: str
