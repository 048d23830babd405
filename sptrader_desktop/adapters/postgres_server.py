"""Which PostgreSQL is used: the one that DATABASE_URL names, else the program's own; and its errors as sentences of ours.

An address that is set and does not answer is an error, never a reason to use another. No password is ever shown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.adapters.embedded_postgres import find_postgres, postgres_address, postgres_plan, postgres_sockets
from sptrader_desktop.adapters.embedded_server import ServerInUse, use_server
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.database_address import ServerTold
from sptrader_desktop.settings import Settings

# A network that goes silent is noticed within half a minute.
_WAYS: dict[str, Any] = {
    "application_name": "sptrader",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
OWN = "the program's own PostgreSQL"
UNREADABLE = "DATABASE_URL cannot be read: write it like postgresql://user:password@host:5432/name, special signs as %XX"

# By the beginning of the code that the server gives; the longest that fits decides.
_ADVICE = {
    "08": "the connection was lost, and what was being written is not there: do it again",
    "28": "it refuses the user or the password: correct DATABASE_URL",
    "3D000": "it has no such database: create it or correct DATABASE_URL",
    "42501": "this user lacks the right: ask for the right to create the schema sptrader, and to read and write in it",
    "25006": "it only lets read: use a server that can be written",
    "53": "it has no room or no connection left: make some and do it again",
    "53100": "its disk is full: make room and do it again",
    "57": "it ended the connection or was ended, and what was being written is not there: do it again",
    "57014": "it stopped the statement (statement_timeout): allow more time and do it again",
    "57P03": "it is starting or stopping: try again in a moment",
    "XX001": "its data is damaged: restore the database, or load the candles again",
}

# A refused connection has no code, only the server's words.
_REFUSED = {
    "password": "28",
    "authentication failed": "28",
    "role": "28",
    "permission denied": "42501",
    "database system is": "57P03",
    "connection slots": "53",
    "too many": "53",
    "database": "3D000",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """`shown` is for people; the address itself may hold a password."""

    address: str = field(repr=False)
    shown: str
    in_use: ServerInUse | None = None

    def connect(self) -> psycopg.Connection:
        with postgres_errors(self.shown):
            connection = self._connected()
            connection.execute("SELECT set_config('datestyle', 'ISO', false), set_config('timezone', 'UTC', false)")
            return connection

    def _connected(self) -> psycopg.Connection:
        try:
            return psycopg.connect(self.address, autocommit=True, **_WAYS)
        except psycopg.OperationalError as error:
            if self.in_use is None or "FATAL:" in str(error):  # who refuses lives
                raise
            self.in_use.revive()
            return psycopg.connect(self.address, autocommit=True, **_WAYS)

    def close(self) -> None:
        if self.in_use:
            self.in_use.close()


def find_server(settings: Settings) -> PostgresServer:
    """Ours is started when it does not run; another is not asked yet."""
    if settings.database_url:
        return PostgresServer(settings.database_url, _shown(settings.database_url))
    binaries = find_postgres()
    if binaries is None:
        raise DataError("there is no PostgreSQL on this computer: install one (postgres and initdb) or set DATABASE_URL")
    in_use = use_server(postgres_plan(binaries, settings.servers, settings.sockets))
    return PostgresServer(postgres_address(postgres_sockets(settings.servers, settings.sockets)), OWN, in_use)


def postgres_told(settings: Settings) -> tuple[str, bool]:
    """What `find_server` would use, and whether that is well; starts nothing."""
    if not settings.database_url:
        binaries = find_postgres()
        if binaries is None:
            return "none, and backtests on files need none: install PostgreSQL or set DATABASE_URL to use one", True
        return f"{OWN} (postgres in {binaries}), started when needed since DATABASE_URL is not set", True
    try:
        server = find_server(settings)
        server.connect().close()
    except DataError as error:
        return str(error), False
    return f"{server.shown}, since DATABASE_URL is set; it answers", True


def described(server: PostgresServer) -> ServerTold:
    with postgres_errors(server.shown), server.connect() as connection:
        found = connection.execute(
            "SELECT current_setting('server_version'), to_regclass('sptrader.series') IS NOT NULL, "
            "(SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), "
            "EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb')"
        ).fetchone()
    assert found is not None
    version, has_candles, timescale, offers = found
    return ServerTold(server.shown, str(version).partition(" ")[0], timescale or "", bool(offers), bool(has_candles))


@contextmanager
def postgres_errors(shown: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise DataError(f"{shown if shown == OWN else f'PostgreSQL at {shown}'}: {_sentence(error, shown)}") from None


def _sentence(error: psycopg.Error, shown: str) -> str:
    code, said = error.sqlstate or "", error.diag.message_primary or (str(error).splitlines() or [""])[0]
    _, refused, words = said.partition("FATAL:")
    said = printable((words or said).strip(), 160).rstrip(".:")
    if refused:
        code = next((code for word, code in _REFUSED.items() if word in words), "08")
    elif not code and isinstance(error, psycopg.OperationalError):
        hint = "do it again" if shown == OWN else "start it and do it again, or unset DATABASE_URL to use the program's own"
        return f"it cannot be reached or the connection was lost ({said}): {hint}"
    fitting = [start for start in _ADVICE if code.startswith(start)]
    return f"{_ADVICE[max(fitting, key=len)]} ({said})" if fitting else f"{said} ({code}): this is not expected, look into the server's log"


def _shown(address: str) -> str:
    """Never the text of an address that cannot be read, nor of one that was cut at a wrong @: the password may be anywhere in it."""
    try:
        parts = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        raise DataError(UNREADABLE) from None
    user, host, port = parts.get("user", ""), parts.get("host") or "localhost", parts.get("port") or 5432
    told = f"{host}:{port}/{parts.get('dbname') or user or ''}"
    if "@" in told or ("@" in address and not user):
        raise DataError(UNREADABLE)
    return f"{user}@{told}" if user else told
