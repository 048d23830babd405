"""The address of a PostgreSQL server from its parts, and its errors in the window's words. No password is ever in a text for people."""

from dataclasses import dataclass
from urllib.parse import quote

DEFAULT_PORT = "5432"


@dataclass(frozen=True, slots=True)
class DatabaseParts:
    host: str = ""
    port: str = ""
    database: str = ""
    user: str = ""
    password: str = ""

    def fault(self) -> str:
        """What is wrong, at once and without a server; nothing when it can be tried."""
        if not self.host:
            return "Host is empty: give the server's name or address, such as localhost"
        if self.port and not (self.port.isascii() and self.port.isdigit() and 1 <= int(self.port) <= 65_535):
            return f"Port {self.port}: give a number from 1 to 65535, mostly {DEFAULT_PORT}"
        if self.password and not self.user:
            return "User is empty: a password belongs to a user"
        return ""

    def address(self) -> str:
        who = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
        port = f":{self.port}" if self.port else ""
        return f"postgresql://{who}{'@' if who else ''}{host}{port}/{quote(self.database, safe='')}"


@dataclass(frozen=True, slots=True)
class ServerTold:
    """A server that answered. `timescale` is its version where it is installed, `offers_timescale` where it could be."""

    shown: str
    version: str
    timescale: str = ""
    offers_timescale: bool = False
    has_candles: bool = False

    def sentence(self) -> str:
        hyper = (
            f"TimescaleDB {self.timescale}"
            if self.timescale
            else "TimescaleDB could be installed"
            if self.offers_timescale
            else "no TimescaleDB"
        )
        held = "has tables of candles" if self.has_candles else "has no tables of candles yet: the first load makes them"
        return f"PostgreSQL {self.version} answers at {self.shown}, {hyper}; it {held}"


def in_window_words(sentence: str) -> str:
    """Sentences made for a command line name the variable that the form stands for."""
    return (
        sentence.replace("unset DATABASE_URL to use", "choose")
        .replace("set DATABASE_URL", "give an address")
        .replace("DATABASE_URL", "the address")
    )
