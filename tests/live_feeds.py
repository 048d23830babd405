"""A session's side of a feed of signals: it keeps what it reads as the journal will, forgets the rest when it crashes, and counts."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.adapters.redis_signals import GROUP, STREAM, RedisSignalFeed
from sptrader_desktop.core.signals import Signal, write_signal
from sptrader_desktop.ports import FeedAlarm, FeedPosition, FeedRecord, LossSeen, PoisonRead, SignalRead

PATIENCE_S = 20  # only a defect takes so long
LONG = (pytest.mark.campaign, pytest.mark.timeout(1800))
AT = 1_736_937_000_000_000


def text_of(seq: int, publisher: str = "p") -> bytes:
    return write_signal(Signal(f"{publisher}{seq}", "ma", "cross", 1.0, AT, seq=seq, publisher=publisher, valid_until=AT))


def put(client: Any, *numbers: int, publisher: str = "p", **options: Any) -> None:
    with client.pipeline(transaction=False) as pipe:
        for seq in numbers:
            pipe.xadd(STREAM, {"data": text_of(seq, publisher)}, **options)
        pipe.execute()


def on_disk(server: RedisServer) -> None:
    """All that the server took so far, which a kill could cost else."""
    client: Any = server.client
    client.incr("written")
    assert client.waitaof(1, 0, 20_000)[0] == 1


def pending(server: RedisServer) -> int:
    client: Any = server.client
    return int(client.xpending(STREAM, GROUP)["pending"])


class Session:
    """`kept` is what survives a crash: signals once by their id, and what else was told; `deliveries` is every one that was handed out."""

    def __init__(self, server: RedisServer, **options: Any) -> None:
        self.server, self.options = server, options
        self.kept: dict[str, Signal] = {}
        self.told: list[FeedRecord] = []
        self.deliveries: list[SignalRead] = []
        self.position: FeedPosition | None = None
        self.sequences: dict[str, int] = {}
        self.feed = self._made()

    def _made(self) -> RedisSignalFeed:
        return RedisSignalFeed(self.server, since=self.position, sequences=self.sequences, **self.options)

    async def crash(self) -> None:
        await self.feed.close()
        self.feed = self._made()

    async def step(self, *, acks: bool = True) -> None:
        records = await self.feed.read()
        self.keep(records)
        if acks:
            await self.ack(records)

    def keep(self, records: Any) -> None:
        for record in records:
            if isinstance(record, SignalRead):
                self.deliveries.append(record)
                self.kept.setdefault(record.signal.id, record.signal)
            else:
                self.told.append(record)
        self.position, self.sequences = self.feed.position, dict(self.feed.sequences)

    async def ack(self, records: Any) -> None:
        names = [record.stream_id for record in records if not isinstance(record, FeedAlarm) and record.stream_id]
        if names:
            await self.feed.ack(names)

    async def until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, (len(self.kept), self.told[-3:], self.feed.status)
            await self.step()

    async def until_has(self, seq: int, publisher: str = "p") -> None:
        await self.until(lambda: f"{publisher}{seq}" in self.kept)

    @property
    def numbers(self) -> list[int]:
        """Of the signals kept, in the order in which they were first handed out."""
        return [signal.seq for signal in self.kept.values() if signal.seq is not None]

    def losses(self, kind: str) -> list[LossSeen]:
        return [each for each in self.told if isinstance(each, LossSeen) and each.kind == kind]

    def lost(self, kind: str) -> int:
        return sum(each.count or 0 for each in self.losses(kind))

    def alarms(self, kind: str) -> list[FeedAlarm]:
        return [each for each in self.told if isinstance(each, FeedAlarm) and each.kind == kind]

    @property
    def poison(self) -> list[PoisonRead]:
        return [each for each in self.told if isinstance(each, PoisonRead)]


def in_session(server: RedisServer, story: Callable[[Session], Any], **options: Any) -> Session:
    """A session that has opened its feed before anything is published, through its story."""

    async def told() -> Session:
        session = Session(server, **options)
        await session.step()
        await story(session)
        await session.feed.close()
        return session

    return asyncio.run(told())


@contextmanager
def configured(client: Any, **settings: str) -> Iterator[None]:
    names = {name: name.replace("_", "-") for name in settings}
    before = {name: client.config_get(names[name])[names[name]] for name in settings}
    for name, value in settings.items():
        client.config_set(names[name], value)
    try:
        yield
    finally:
        for name, value in before.items():
            client.config_set(names[name], value)
