"""The tables of candles in PostgreSQL and how they came to be: numbered steps, forward only, one program at a time.

Where the server offers TimescaleDB and lets this user create it, the candles become a hypertable; else they are a plain table, and its
primary key serves both the order and the ranges that are read.
"""

from contextlib import suppress

import psycopg

from sptrader_desktop.core.errors import DataError

# Any number that no other program's advisory lock on this database is likely to have.
LOCK = 0x53505452
CHUNK = "90 days"

# A step that has been released is never changed; what is to be different is a further step.
# A foreign key would look up the series of every single candle, which takes longer than all the rest of bulk loading.
STEPS = (
    """
    CREATE TABLE sptrader.series (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        symbol text NOT NULL,
        timeframe text NOT NULL,
        side text NOT NULL CHECK (side IN ('bid', 'mid', 'ask')),
        tick numeric NOT NULL CHECK (tick > 0),
        has_ask boolean NOT NULL,
        has_volume boolean NOT NULL,
        UNIQUE (symbol, timeframe, side)
    );
    COMMENT ON COLUMN sptrader.series.tick IS 'prices of its candles are whole numbers of this';
    CREATE TABLE sptrader.candles (
        series integer NOT NULL,
        stamp timestamptz NOT NULL,
        open bigint NOT NULL,
        high bigint NOT NULL,
        low bigint NOT NULL,
        close bigint NOT NULL,
        ask_open bigint,
        ask_high bigint,
        ask_low bigint,
        ask_close bigint,
        volume double precision,
        PRIMARY KEY (series, stamp)
    );
    COMMENT ON COLUMN sptrader.candles.stamp IS 'the open of the bar';
    CREATE FUNCTION sptrader.remove_candles() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN DELETE FROM sptrader.candles WHERE series = OLD.id; RETURN NULL; END';
    CREATE TRIGGER candles_go_with_their_series AFTER DELETE ON sptrader.series FOR EACH ROW EXECUTE FUNCTION sptrader.remove_candles();
    """,
    "ALTER TABLE sptrader.series ADD COLUMN is_synthetic boolean NOT NULL DEFAULT false",
)


def migrate(connection: psycopg.Connection, shown: str) -> None:
    if _version(connection, shown) == len(STEPS):
        return
    _offer_timescale(connection)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        connection.execute("CREATE SCHEMA IF NOT EXISTS sptrader")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS sptrader.steps (step integer PRIMARY KEY, done_at timestamptz NOT NULL DEFAULT now())"
        )
        for step in range(_version(connection, shown) + 1, len(STEPS) + 1):
            connection.execute(STEPS[step - 1].encode())
            connection.execute("INSERT INTO sptrader.steps (step) VALUES (%s)", [step])
            if step == 1 and _has_timescale(connection):
                connection.execute("SELECT create_hypertable('sptrader.candles', 'stamp', chunk_time_interval => %s::interval)", [CHUNK])


def _version(connection: psycopg.Connection, shown: str) -> int:
    found = connection.execute("SELECT to_regclass('sptrader.steps') IS NOT NULL").fetchone()
    if not (found and found[0]):
        return 0
    found = connection.execute("SELECT coalesce(max(step), 0) FROM sptrader.steps").fetchone()
    version = int(found[0]) if found else 0
    if version > len(STEPS):
        raise DataError(f"PostgreSQL at {shown}: a newer version of the program has changed its tables (step {version}): update this one")
    return version


def _offer_timescale(connection: psycopg.Connection) -> None:
    """A server may have it and still not let it be created: not loaded at its start, or not by this user."""
    found = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb' AND installed_version IS NULL").fetchone()
    if found:
        with suppress(psycopg.Error):
            connection.execute("CREATE EXTENSION timescaledb")


def _has_timescale(connection: psycopg.Connection) -> bool:
    return connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is not None
