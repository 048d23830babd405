"""Candles in a real PostgreSQL: what goes in comes out to the bit, wholly or not at all, and every failure says what to do."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters import postgres_candles, postgres_schema
from sptrader_desktop.adapters.candle_checks import Columns
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.candle_series import candles_of, joined
from sptrader_desktop.adapters.embedded_postgres import find_postgres, postgres_address, postgres_plan, postgres_sockets
from sptrader_desktop.adapters.embedded_server import use_server
from sptrader_desktop.adapters.postgres_candles import PostgresCandles
from sptrader_desktop.adapters.postgres_rows import columns_of, copied
from sptrader_desktop.adapters.postgres_server import PostgresServer
from sptrader_desktop.core.candles import Candles, Prices, PriceSide
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.ports import CandleRequest
from tests.kept_candles import ASKED, HOUR_US, START, hourly
from tests.servers import elsewhere, ends, server_process

ONE_DATABASE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


def read(server: PostgresServer, asked: CandleRequest = ASKED) -> Candles:
    return PostgresCandles(server).candles(asked)


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        action()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def rows(server: PostgresServer) -> int:
    with server.connect() as connection:
        found = connection.execute("SELECT count(*) FROM sptrader.candles").fetchone()
    assert found
    return int(found[0])


def run(server: PostgresServer, *statements: str) -> None:
    with server.connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())


# There and back

SYMBOLS = ("EURUSD", "USDJPY", "XAUUSD", "BTCUSD")
SIDES: tuple[PriceSide, ...] = ("bid", "mid", "ask")
VOLUMES = st.one_of(st.just(0.0), st.floats(0, 1e12, allow_nan=False))


@st.composite
def any_candles(draw: st.DrawFn) -> Candles:
    """Any bars that pass the checks: any gaps, with and without ask and volume, prices of one tick and of many."""
    symbol, side = draw(st.sampled_from(SYMBOLS)), draw(st.sampled_from(SIDES))
    steps = draw(st.lists(st.integers(1, 400), min_size=1, max_size=30))
    stamps = draw(st.integers(-400_000, 1_900_000)) * HOUR_US + np.cumsum(np.array(steps)) * HOUR_US
    has_ask, has_volume = side == "bid" and draw(st.booleans()), draw(st.booleans())

    def prices() -> Prices:
        four = [draw(st.lists(st.integers(1, 2**40), min_size=4, max_size=4)) for _ in steps]
        table = np.array([[each[0], max(each), min(each), each[3]] for each in four], np.int64)
        return Prices(*(table[:, column].copy() for column in range(4)))

    volume = np.array([draw(VOLUMES) for _ in steps]) if has_volume else None
    return candles_of(Columns(stamps, prices(), prices() if has_ask else None, volume), CATALOGUE[symbol], "1h", side, "drawn")


@ONE_DATABASE
@given(candles=any_candles())
def test_what_is_kept_comes_back_with_the_same_fingerprint(postgres: PostgresServer, candles: Candles) -> None:
    with PostgresCandles(postgres) as store:
        run(postgres, "DELETE FROM sptrader.series")
        assert store.keep(candles) == len(candles)
        back = store.candles(CandleRequest(candles.symbol, "1h"))
        assert (back.fingerprint, back.side, back.instrument) == (candles.fingerprint, candles.side, candles.instrument)
        (held,) = store.datasets()
    assert (held.rows, held.side, held.has_ask) == (len(candles), candles.side, candles.ask is not None)
    assert [int(at.timestamp()) for at in (held.first, held.last)] == [int(candles.timestamp[at]) // 1_000_000 for at in (0, -1)]


@ONE_DATABASE
@given(pieces=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 25), st.integers(1, 3)), min_size=1, max_size=6))
def test_keeping_pieces_in_any_order_is_joining_them(postgres: PostgresServer, pieces: list[tuple[int, int, int]]) -> None:
    """Pieces overlap, lie in each other's gaps, and come before and after: the oracle joins arrays and knows no database."""
    store, expected = PostgresCandles(postgres), None
    run(postgres, "DELETE FROM sptrader.series")
    for seed, (first, count, step) in enumerate(pieces):
        piece = hourly(range(first, first + count * step, step), seed, ask=True, volume=True)
        store.keep(piece)
        expected = piece if expected is None else joined(expected, piece)
    assert expected is not None
    assert store.candles(ASKED).fingerprint == expected.fingerprint


def test_pages_join_without_a_seam(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    store, candles = PostgresCandles(postgres), hourly(range(120), ask=True, volume=True)
    store.keep(candles)
    for page in (1, 7, 119, 120, 121):
        monkeypatch.setattr(postgres_candles, "PAGE", page)
        assert store.candles(ASKED).fingerprint == candles.fingerprint


def test_a_range_is_what_a_file_gives_for_it(postgres: PostgresServer) -> None:
    store = PostgresCandles(postgres)
    store.keep(hourly(range(100)))
    origin = datetime.fromtimestamp(START / 1e6, UTC)
    for low, high in ((0, 1), (3, 50), (99, 200), (-5, 2)):
        part = store.candles(replace(ASKED, start=origin + timedelta(hours=low), end=origin + timedelta(hours=high)))
        assert part.fingerprint == hourly(range(max(low, 0), min(high, 100))).fingerprint
    said = refusal(lambda: store.candles(replace(ASKED, start=origin + timedelta(hours=100))))
    assert "no bar opens from 2024-02-02T04:00:00Z: it holds 2024-01-29T00:00:00Z to 2024-02-02T03:00:00Z" in said


def test_real_history_comes_back_as_the_file_it_came_from(postgres: PostgresServer, reference: Path) -> None:
    name = "GBPUSD_1m_2012-02-01_2012-03-01_fxcm_{}.parquet"
    candles = load_candles(reference / "data" / name.format("bid"), ask=reference / "data" / name.format("ask"))
    store = PostgresCandles(postgres)
    store.keep(candles)
    assert store.candles(CandleRequest("GBPUSD", "1m")).fingerprint == candles.fingerprint


def test_settings_of_the_server_change_nothing(postgres: PostgresServer) -> None:
    settings = "-c datestyle=German -c timezone=Asia/Tokyo -c extra_float_digits=-5 -c search_path=pg_catalog -c intervalstyle=iso_8601"
    store = PostgresCandles(replace(postgres, address=f"{postgres.address} options='{settings}'"))
    candles = hourly(range(50), ask=True, volume=True)
    store.keep(candles)
    store.keep(candles)
    assert store.candles(ASKED).fingerprint == candles.fingerprint
    assert store.datasets()[0].first == datetime.fromtimestamp(START / 1e6, UTC)


def test_of_several_sides_the_bid_is_meant(postgres: PostgresServer) -> None:
    store, bid = PostgresCandles(postgres), hourly(range(5))
    for side in ("ask", "mid"):
        store.keep(replace(bid, side=side))
        assert store.candles(ASKED).side == side
    store.keep(bid)
    assert store.candles(ASKED).side == "bid"
    assert [held.side for held in store.datasets()] == ["bid", "mid", "ask"]


def test_many_bars_go_in_in_one_sweep_and_in_postgresqls_own_format() -> None:
    """The frames against a second writing of the format, byte for byte."""
    import struct

    candles = hourly([0, 5], ask=True, volume=True)
    assert candles.ask
    assert candles.volume is not None
    expected = b""
    for row in range(2):
        words = [getattr(side, name)[row] for side in (candles.prices, candles.ask) for name in ("open", "high", "low", "close")]
        expected += struct.pack(">hii", len(columns_of(True, True)) + 1, 4, 7)
        expected += b"".join(struct.pack(">iq", 8, int(word)) for word in [int(candles.timestamp[row]) - 946684800000000, *words])
        expected += struct.pack(">id", 8, candles.volume[row])
    assert b"".join(bytes(part) for part in copied(candles, 7)) == expected


# Refusals


def test_what_is_not_there_is_said_with_what_is(postgres: PostgresServer) -> None:
    store = PostgresCandles(postgres)
    assert "holds no 1h candles of EURUSD (it holds nothing yet)" in refusal(lambda: store.candles(ASKED))
    store.keep(hourly(range(5)))
    assert "holds no 4h candles of EURUSD (it holds EURUSD 1h)" in refusal(lambda: store.candles(CandleRequest("EURUSD", "4h")))
    assert "'EURSUD' is not a known symbol: did you mean EURUSD?" in refusal(lambda: store.candles(CandleRequest("EURSUD", "1h")))
    assert "is not a timeframe" in refusal(lambda: store.candles(CandleRequest("EURUSD", "1x")))
    assert "no candles to keep" in refusal(lambda: store.keep(hourly([])))


def test_candles_of_another_kind_than_those_kept_are_refused_and_change_nothing(postgres: PostgresServer) -> None:
    store, kept = PostgresCandles(postgres), hourly(range(10), ask=True)
    store.keep(kept)
    fine = replace(CATALOGUE["EURUSD"], tick=Decimal("0.000001"))
    for other, what in (
        (hourly(range(20)), "with ask prices"),
        (hourly(range(20), ask=True, volume=True), "with no volume"),
        (replace(hourly(range(20), ask=True), instrument=fine), "with a tick of 0.00001"),
        (replace(hourly(range(20), ask=True), is_synthetic=True), "with no synthetic bars"),
    ):
        said = refusal(lambda other=other: store.keep(other))  # type: ignore[misc]
        assert f"keeps EURUSD 1h bid {what}, unlike these candles: load them into another database" in said
    assert store.candles(ASKED).fingerprint == kept.fingerprint


def test_a_bar_inside_another_is_refused_wherever_it_comes(postgres: PostgresServer) -> None:
    store, kept = PostgresCandles(postgres), hourly([0, 1, 2, 8, 9])
    store.keep(kept)
    for hours in ([-1], [9], [1, 2], [6, 7]):
        piece = replace(hourly(hours, 1), timestamp=hourly(hours).timestamp + HOUR_US // 2)
        assert "opens inside that of" in refusal(lambda piece=piece: store.keep(piece))  # type: ignore[misc]
        assert store.candles(ASKED).fingerprint == kept.fingerprint
    fitting = replace(hourly([4, 5], 1), timestamp=hourly([4, 5]).timestamp + HOUR_US // 2)
    assert store.keep(fitting) == 2
    assert len(store.candles(ASKED)) == 7


def test_candles_damaged_in_the_database_are_refused_like_those_of_a_file(postgres: PostgresServer) -> None:
    store = PostgresCandles(postgres)
    for damage, said in (
        (
            "UPDATE sptrader.candles SET high = low - 1 WHERE stamp = '2024-01-29T02:00Z'",
            "row 3 (2024-01-29T02:00:00Z): high 1.10066 is below",
        ),
        (
            "UPDATE sptrader.candles SET open = 0 WHERE stamp = '2024-01-29T02:00Z'",
            "row 3 (2024-01-29T02:00:00Z): open 0.0 is not above zero",
        ),
        ("UPDATE sptrader.candles SET ask_low = NULL WHERE stamp = '2024-01-29T02:00Z'", "a bar in PostgreSQL lacks a price or volume"),
        ("UPDATE sptrader.candles SET volume = 'NaN'", "row 1 (2024-01-29T00:00:00Z): volume nan is not a number"),
        ("UPDATE sptrader.candles SET stamp = '2024-01-29T02:30Z' WHERE stamp = '2024-01-29T02:00Z'", "opens inside the 1h bar of"),
        ("UPDATE sptrader.series SET tick = 0.000001", "is not a multiple of the tick 0.00001 of EURUSD"),
        ("DELETE FROM sptrader.candles", "all its candles were removed: load them again"),
    ):
        run(postgres, "DELETE FROM sptrader.series")
        store.keep(hourly(range(5), ask=True, volume=True))
        run(postgres, damage)
        assert said in refusal(lambda: store.candles(ASKED))


# All or nothing


TRIGGER = """
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.stamp = '{at}' THEN {action}; END IF; RETURN NEW; END $$;
CREATE TRIGGER spoil BEFORE INSERT ON sptrader.candles FOR EACH ROW EXECUTE FUNCTION spoil()
"""


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'", "its disk is full: make room and do it again"),
        ("RAISE EXCEPTION 'no' USING ERRCODE = '42501'", "this user lacks the right"),
        ("PERFORM pg_terminate_backend(pg_backend_pid())", "it ended the connection"),
        ("PERFORM pg_sleep(60)", "stopped the statement (statement_timeout)"),
        ("RAISE EXCEPTION 'odd' USING ERRCODE = 'P0999'", "odd (P0999): this is not expected"),
    ],
)
def test_what_fails_in_the_middle_leaves_what_was_there(postgres: PostgresServer, action: str, said: str) -> None:
    timed = replace(postgres, address=f"{postgres.address} options='-c statement_timeout=500'")
    store, kept = PostgresCandles(timed), hourly(range(100))
    store.keep(kept)
    run(postgres, TRIGGER.format(at="2024-02-02T05:00Z", action=action))
    for piece in (hourly(range(50, 200), 1), hourly(range(100, 200), 1), hourly(range(101, 200, 2), 1)):
        assert said in refusal(lambda piece=piece: store.keep(piece))  # type: ignore[misc]
        assert store.candles(ASKED).fingerprint == kept.fingerprint
    run(postgres, "DROP TRIGGER spoil ON sptrader.candles")
    assert store.keep(hourly(range(50, 200), 1)) == 150


def test_a_server_killed_in_the_middle_has_nothing_half_written_when_it_is_back() -> None:
    """The real thing: SIGKILL for the process that writes, which takes the whole server through its recovery."""
    with server_alone() as server:
        run(server, "DROP SCHEMA IF EXISTS sptrader CASCADE", "DROP FUNCTION IF EXISTS spoil")
        store, kept = PostgresCandles(server), hourly(range(100))
        store.keep(kept)
        run(server, TRIGGER.format(at="2024-02-02T05:00Z", action="PERFORM pg_sleep(60)"))
        failed: list[str] = []
        writer = threading.Thread(target=lambda: failed.append(refusal(lambda: store.keep(hourly(range(50, 200), 1)))))
        writer.start()
        os.kill(process_at_work(server), signal.SIGKILL)
        writer.join()
        assert "connection was lost" in failed[0]
        assert read_when_it_is_back(store).fingerprint == kept.fingerprint
    assert "cannot be reached" in refusal(lambda: store.candles(ASKED))


def test_a_server_of_the_program_s_own_that_died_is_started_again() -> None:
    with server_alone() as server:
        store, kept = PostgresCandles(server), hourly(range(100))
        store.keep(kept)
        process = server_process(elsewhere("alone & co"), "postgres")
        assert process
        process.kill()
        assert ends(process)
        assert store.candles(ASKED).fingerprint == kept.fingerprint


def test_a_server_that_answers_with_a_refusal_is_not_waited_for() -> None:
    with server_alone(max_connections="5") as server, ExitStack() as held:
        for _ in range(5):
            held.enter_context(server.connect())
        assert "no connection left: make some and do it again" in refusal(server.connect)


@contextmanager
def server_alone(**more: str) -> Iterator[PostgresServer]:
    """One that no other test uses; not for data that must last."""
    settings, binaries = elsewhere("alone & co"), find_postgres()
    assert binaries
    held = use_server(postgres_plan(binaries, settings.servers, settings.sockets, fsync="off", **more))
    try:
        yield PostgresServer(postgres_address(postgres_sockets(settings.servers, settings.sockets)), "own", held)
    finally:
        held.close()


def read_when_it_is_back(store: PostgresCandles) -> Candles:
    """For a moment the server still answers before it notices, and then it recovers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return store.candles(ASKED)
        except DataError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def process_at_work(server: PostgresServer) -> int:
    asked = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with server.connect() as connection:
        while True:
            found = connection.execute(asked).fetchone()
            if found:
                return int(found[0])


def test_two_writers_of_one_series_take_turns(postgres: PostgresServer) -> None:
    """Each keeps every other hour in pieces, and both the same further hours; in the end every hour is there once, from its writer."""
    store, together = PostgresCandles(postgres), threading.Barrier(2)
    failures: list[DataError] = []

    def write(parity: int) -> None:
        try:
            for piece in range(6):
                together.wait(30)
                store.keep(hourly(range(parity + piece * 100, (piece + 1) * 100, 2), parity))
                together.wait(30)
                store.keep(hourly(range(600 + piece * 100, 700 + piece * 100), 5))
        except DataError as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(parity,)) for parity in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    expected = joined(joined(hourly(range(0, 600, 2), 0), hourly(range(1, 600, 2), 1)), hourly(range(600, 1200), 5))
    assert store.candles(ASKED).fingerprint == expected.fingerprint


def test_a_reader_meets_the_old_candles_or_the_new_ones(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it reads in many pages, between which others write."""
    monkeypatch.setattr(postgres_candles, "PAGE", 10)
    store = PostgresCandles(postgres)
    versions = [hourly(range(300), seed) for seed in range(8)]
    store.keep(versions[0])
    writer = threading.Thread(target=lambda: [store.keep(version) for version in versions])
    writer.start()
    seen = set()
    while writer.is_alive():
        seen.add(store.candles(ASKED).fingerprint)
    writer.join()
    assert seen
    assert seen <= {version.fingerprint for version in versions}


# Tables


def test_programs_that_open_a_new_database_at_once_make_its_tables_once(postgres: PostgresServer) -> None:
    failures: list[BaseException] = []

    def opened() -> None:
        try:
            PostgresCandles(postgres)
        except DataError as error:
            failures.append(error)

    threads = [threading.Thread(target=opened) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with postgres.connect() as connection:
        assert connection.execute("SELECT step FROM sptrader.steps ORDER BY step").fetchall() == [(1,), (2,)]


def test_steps_go_forward_only_and_all_or_nothing(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PostgresCandles(postgres)
    store.keep(hourly(range(5)))
    more = (*postgres_schema.STEPS, "ALTER TABLE sptrader.series ADD note text", "CREATE TABLE sptrader.more (); SELECT 1/0")
    monkeypatch.setattr(postgres_schema, "STEPS", more)
    assert "division by zero" in refusal(lambda: PostgresCandles(postgres))
    with postgres.connect() as connection:
        assert connection.execute("SELECT max(step) FROM sptrader.steps").fetchall() == [(2,)]
    monkeypatch.setattr(postgres_schema, "STEPS", more[:3])
    assert read(postgres).fingerprint == hourly(range(5)).fingerprint
    monkeypatch.undo()
    assert "a newer version of the program has changed its tables (step 3): update this one" in refusal(lambda: PostgresCandles(postgres))


def test_without_timescale_the_table_is_plain(postgres: PostgresServer) -> None:
    PostgresCandles(postgres)
    with postgres.connect() as connection:
        kind = connection.execute("SELECT relkind FROM pg_class WHERE oid = 'sptrader.candles'::regclass").fetchone()
        assert kind == ("r",)
        assert connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'").fetchone() is None


@pytest.mark.parametrize("may_be_created", [True, False])
def test_timescale_is_used_where_it_is_offered_and_may_be_created(tmp_path: Path, may_be_created: bool) -> None:
    """A stand-in extension of that name, for none of the real ones can be had everywhere: which calls are made is what is tested."""
    (tmp_path / "extension").mkdir()
    (tmp_path / "extension" / "timescaledb.control").write_text("default_version = '2.0'\n")
    script = """CREATE TABLE asked (what regclass, by name, chunk interval);
    CREATE FUNCTION create_hypertable(relation regclass, time_column_name name, chunk_time_interval interval) RETURNS void
    LANGUAGE sql AS 'INSERT INTO asked VALUES (relation, time_column_name, chunk_time_interval)';"""
    (tmp_path / "extension" / "timescaledb--2.0.sql").write_text(script if may_be_created else "SELECT 1/0;")
    with server_alone(extension_control_path=f"$system:{tmp_path}") as own:
        run(own, "DROP DATABASE IF EXISTS with_timescale", "CREATE DATABASE with_timescale")
        server = replace(own, address=f"{own.address} dbname=with_timescale")
        store = PostgresCandles(server)
        store.keep(hourly(range(5)))
        assert store.candles(ASKED).fingerprint == hourly(range(5)).fingerprint
        with server.connect() as connection:
            if may_be_created:
                asked = connection.execute("SELECT what = 'sptrader.candles'::regclass, by, chunk FROM asked").fetchall()
                assert asked == [(True, "stamp", timedelta(days=90))]
            else:
                assert connection.execute("SELECT to_regclass('asked')").fetchone() == (None,)


# Rights


def test_a_wrong_password_a_missing_database_and_missing_rights_say_what_to_do(postgres: PostgresServer) -> None:
    name = postgres.address.rsplit("=", 1)[1]
    PostgresCandles(postgres).keep(hourly(range(5)))
    run(
        postgres,
        "DROP ROLE IF EXISTS guest",
        "CREATE ROLE guest LOGIN PASSWORD 'hunter2'",
        f"CREATE DATABASE {name}_empty",
        f"REVOKE ALL ON DATABASE {name}_empty FROM PUBLIC",
    )
    guest = replace(postgres, address=f"{postgres.address} user=guest password=wrong", shown="guest@own")
    try:
        assert "this user lacks the right: ask for the right" in refusal(lambda: PostgresCandles(guest))
        run(postgres, "GRANT USAGE ON SCHEMA sptrader TO guest", "GRANT SELECT ON ALL TABLES IN SCHEMA sptrader TO guest")
        reader = PostgresCandles(guest)
        assert reader.candles(ASKED).fingerprint == hourly(range(5)).fingerprint
        assert "this user lacks the right" in refusal(lambda: reader.keep(hourly(range(3))))
        missing = replace(postgres, address=f"{postgres.address} dbname=nowhere")
        assert "it has no such database: create it" in refusal(lambda: PostgresCandles(missing))
        with password_needed(postgres):
            said = refusal(lambda: PostgresCandles(guest))
        assert "it refuses the user or the password: correct DATABASE_URL" in said
        assert "wrong" not in said
    finally:
        run(postgres, f"DROP DATABASE {name}_empty", "DROP OWNED BY guest", "DROP ROLE guest")


@contextmanager
def password_needed(server: PostgresServer) -> Iterator[None]:
    """The guest's from now on; the file is put back."""
    with server.connect() as connection:
        found = connection.execute("SHOW hba_file").fetchone()
    assert found
    rules = Path(found[0])
    before = rules.read_text(encoding="utf-8")
    rules.write_text("local all guest scram-sha-256\n" + before, encoding="utf-8")
    run(server, "SELECT pg_reload_conf()")
    try:
        yield
    finally:
        rules.write_text(before, encoding="utf-8")
        run(server, "SELECT pg_reload_conf()")
