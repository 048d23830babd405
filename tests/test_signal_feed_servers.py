"""The feed of signals over a real Valkey that is killed, stopped, filled and set up badly, and readers that are interrupted."""

import asyncio
import random
import shutil
import signal as signals
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from redis.exceptions import RedisError

from sptrader_desktop.adapters.redis_link import RedisLink
from sptrader_desktop.adapters.redis_safety import fault_in, refuse_unsafe
from sptrader_desktop.adapters.redis_server import RedisServer, open_redis
from sptrader_desktop.adapters.redis_signals import DEAD, GROUP, PAGE, STREAM, RedisSignalFeed
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.settings import Settings
from tests.live_feeds import LONG, PATIENCE_S, Session, configured, in_session, on_disk, pending, put
from tests.servers import elsewhere, ends, keepers, server_process

# The server's life


@pytest.fixture
def own() -> Iterator[tuple[RedisServer, Settings]]:
    """A server of this test's own, which it may kill."""
    settings = elsewhere("signals")
    server = open_redis(settings)
    server.client.flushall()
    yield server, settings
    server.close()
    assert [found for found in keepers(settings, "valkey") if not ends(found)] == []


@pytest.mark.parametrize("rounds", [3, pytest.param(200, marks=LONG)])
def test_a_server_of_our_own_that_is_killed_is_started_again_and_nothing_is_lost(own: tuple[RedisServer, Settings], rounds: int) -> None:
    server, settings = own

    async def story(session: Session) -> None:
        for round_ in range(rounds):
            put(server.client, *range(10 * round_ + 1, 10 * round_ + 8))
            if round_:
                await session.step(acks=False)
            process = server_process(settings, "valkey")
            assert process is not None
            on_disk(server)
            process.kill()
            await session.until(lambda: not session.feed.status.connected)
            assert "Redis at the program's own Valkey" in session.feed.status.error
            await session.until(lambda: session.feed.status.connected)
            put(server.client, *range(10 * round_ + 8, 10 * round_ + 11))
            await session.until_has(10 * round_ + 10)
        await session.ack([*session.deliveries])

    session = in_session(server, story)
    assert session.numbers == list(range(1, 10 * rounds + 1))
    assert len(session.deliveries) == 10 * rounds
    assert session.told == []
    assert pending(server) == 0


def test_a_server_that_comes_back_with_an_older_past_is_told_and_counted(own: tuple[RedisServer, Settings]) -> None:
    """As after a power failure: the last second was never on the disk."""
    server, settings = own
    files, older = settings.servers / "valkey" / "appendonlydir", settings.servers / "older"

    async def story(session: Session) -> None:
        put(server.client, *range(1, 11))
        await session.until_has(10)
        on_disk(server)
        shutil.rmtree(older, ignore_errors=True)
        shutil.copytree(files, older)
        put(server.client, *range(11, 15))
        await session.until_has(14)
        put(server.client, *range(15, 18))  # nobody will ever read these
        process = server_process(settings, "valkey")
        assert process is not None
        process.kill()
        assert ends(process)
        shutil.rmtree(files)
        shutil.copytree(older, files)
        await session.until(lambda: bool(session.losses("forgotten")))
        put(server.client, *range(18, 21))
        await session.until_has(20)

    session = in_session(server, story)
    assert session.numbers == [*range(1, 15), *range(18, 21)]
    assert [each.count for each in session.losses("forgotten")] == [4]
    assert [(each.publisher, each.count) for each in session.losses("gap")] == [("p", 3)]


def test_a_server_that_stands_still_stops_nobody_and_goes_on_where_it_was(own: tuple[RedisServer, Settings]) -> None:
    server, settings = own
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    async def story(session: Session) -> None:
        put(server.client, 1)
        await session.until_has(1)
        counting = asyncio.create_task(count_turns())
        process = server_process(settings, "valkey")
        assert process is not None
        process.send_signal(signals.SIGSTOP)
        await session.until(lambda: not session.feed.status.connected)
        before = turns
        await session.feed.read()
        assert turns > before + 10
        process.send_signal(signals.SIGCONT)
        put(server.client, 2)
        await session.until_has(2)
        counting.cancel()

    session = in_session(server, story)
    assert session.numbers == [1, 2]
    assert session.told == []


def test_a_full_server_is_told_and_what_it_has_is_read_and_acknowledged(own: tuple[RedisServer, Settings]) -> None:
    server, _ = own
    client: Any = server.client

    async def story(session: Session) -> None:
        put(client, 1)
        client.xadd(STREAM, {"data": b"poison"})
        put(client, 2)
        with configured(client, maxmemory="1mb"):
            await session.until_has(2)
            await session.until(lambda: bool(session.alarms("memory")))
            assert client.xpending(STREAM, GROUP)["pending"] == 1  # the poison, for which there is no room
            assert client.xlen(DEAD) == 0
        await session.until(lambda: client.xlen(DEAD) == 1)

    session = in_session(server, story)
    assert session.numbers == [1, 2]
    assert len(session.alarms("memory")) == len(session.poison) == 1
    assert pending(server) == 0


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [("maxmemory_policy", "allkeys-lru", "set it to noeviction"), ("appendonly", "no", "set appendonly to yes")],
)
def test_a_server_that_may_forget_is_refused_and_told_where_it_is_set_up_so_later(
    own: tuple[RedisServer, Settings], setting: str, value: str, words: str
) -> None:
    server, _ = own
    refuse_unsafe(server)
    with configured(server.client, **{setting: value}):
        with pytest.raises(DataError, match=f"cannot be used for live trading: .*{words}"):
            refuse_unsafe(server)

        async def story(session: Session) -> None:
            await session.until(lambda: bool(session.alarms("policy")))
            await session.step()

        session = in_session(server, story)
    deadline = time.monotonic() + PATIENCE_S
    while server.client.info("persistence")["aof_rewrite_in_progress"]:  # it would not stop before
        assert time.monotonic() < deadline
    assert len(session.alarms("policy")) == 1
    assert words in session.alarms("policy")[0].text


def test_an_old_server_or_one_that_says_nothing_is_refused() -> None:
    well = {"redis_version": "7.2.4", "maxmemory_policy": "noeviction", "aof_enabled": "1"}
    assert fault_in(well) == ""
    assert "version 6.2.0" in fault_in(well | {"redis_version": "6.2.0"})
    assert fault_in({})


def test_reading_and_publishing_load_neither_pandas_nor_numba_nor_qt() -> None:
    """The core of live trading starts in an instant."""
    names = "redis_signals redis_price_feed redis_publisher redis_events redis_safety publisher_files".split()
    program = f"import sys; from sptrader_desktop.adapters import {', '.join(names)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"pandas", "numba", "PySide6", "pyarrow"} & set(done.stdout.split()) == set()


# Interruptions


@pytest.mark.parametrize("rounds", [400, pytest.param(100_000, marks=LONG)])
def test_no_answer_is_ever_taken_for_that_of_another_question(valkey: RedisServer, rounds: int) -> None:
    chance = random.Random(7)

    async def story() -> tuple[int, int]:
        link, cancelled, others = RedisLink(valkey), 0, 0
        for number in range(rounds):
            asking = asyncio.create_task(link.ask(("ECHO", f"a{number}"), ("ECHO", f"b{number}")))
            other = asyncio.create_task(link.one("ECHO", f"c{number}"))
            for _ in range(chance.randint(0, 16)):
                await asyncio.sleep(0)
            is_early = asking.cancel()
            try:
                assert await asking == [f"a{number}".encode(), f"b{number}".encode()]
                assert not is_early, "it was told to end, and went on"
            except (asyncio.CancelledError, RedisError):
                cancelled += 1
            with suppress(RedisError):  # a computer that is too busy to answer in time
                assert await other == f"c{number}".encode()
                others += 1
        await link.close()
        return cancelled, others

    cancelled, others = asyncio.run(story())
    assert rounds // 20 < cancelled < rounds - rounds // 20
    assert others > rounds * 0.9


def test_a_reading_that_is_interrupted_at_any_moment_loses_nothing(valkey: RedisServer) -> None:
    chance = random.Random(3)

    async def story(session: Session) -> None:
        for number in range(1, 200):
            put(valkey.client, number)
            reading = asyncio.create_task(session.feed.read())
            await asyncio.sleep(chance.random() * 0.002)
            reading.cancel()
            try:
                records = await reading
            except asyncio.CancelledError:
                continue
            session.keep(records)
            await session.ack(records)
        await session.until_has(199)

    session = in_session(valkey, story)
    assert sorted(session.numbers) == list(range(1, 200))
    assert session.told == []


def test_whoever_reads_without_acknowledging_is_held_up(valkey: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sptrader_desktop.adapters.redis_signals.MOST_HANDED", 300)

    async def story(session: Session) -> None:
        put(valkey.client, *range(1, 1_001))
        for _ in range(6):
            await session.step(acks=False)
        assert len(session.kept) == 2 * PAGE
        await session.ack(session.deliveries)
        await session.until_has(1_000)

    assert in_session(valkey, story).numbers == list(range(1, 1_001))


def test_a_stream_that_is_something_else_is_told_in_the_status(valkey: RedisServer) -> None:
    valkey.client.set(STREAM, "text")

    async def story() -> None:
        feed = RedisSignalFeed(valkey)
        assert await feed.read() == []
        assert not feed.status.connected
        assert "WRONGTYPE" in feed.status.error
        await feed.close()

    asyncio.run(story())
