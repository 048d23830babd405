"""The few stream commands of Redis that the feed of signals uses, in memory and in virtual time, and what can go wrong with them.

`tests/test_live_simulation.py` asks it and a real server the same questions. The feed over it is the real one.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError, ResponseError

from sptrader_desktop.adapters.redis_link import ANSWER_S, Command
from sptrader_desktop.adapters.redis_price_feed import RedisPriceFeed
from sptrader_desktop.adapters.redis_signals import RedisSignalFeed
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.core.sequences import Unjudged
from sptrader_desktop.ports import FeedPosition, FeedStatus
from tests.virtual_time import VirtualLoop

Name = tuple[int, int]
INFO = b"redis_version:8.0.0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\nmaxmemory:0\r\n"
NO_KEY = "no such key"


def _name(said: Any, *, last: bool = False) -> Name:
    text = said.decode() if isinstance(said, bytes) else str(said)
    if text in {"-", "+"}:
        return (0, 0) if text == "-" else (2**63, 0)
    first, _, second = text.removeprefix("(").partition("-")
    return int(first), int(second) if second else (2**63 if last else 0)


def _shown(name: Name) -> bytes:
    return f"{name[0]}-{name[1]}".encode()


@dataclass(slots=True)
class _Group:
    last: Name
    pending: dict[Name, str] = field(default_factory=dict)  # whose


@dataclass(slots=True)
class _Stream:
    entries: dict[Name, list[bytes]] = field(default_factory=dict)
    last: Name = (0, 0)
    added: int = 0
    deleted: Name = (0, 0)  # the latest
    groups: dict[str, _Group] = field(default_factory=dict)


class SimulatedRedis:
    """`now` gives milliseconds. `is_up` is whether anybody answers; `hangs_until` is in the loop's time."""

    def __init__(self, now: Callable[[], int], loop: VirtualLoop | None = None) -> None:
        self._now, self.loop, self.hangs_until = now, loop, 0.0
        self._streams: dict[str, _Stream] = {}
        self.is_up, self.lives = True, 1
        self.rung = asyncio.Event()
        self.acked: Callable[[str], None] = lambda _: None

    # What goes wrong

    def die(self) -> None:
        self.is_up = False
        self.lives += 1

    def hang_until(self, until: float) -> None:
        """What is asked meanwhile is done then, and who asked has given up by then, or not."""
        self.hangs_until = max(self.hangs_until, until)

    def copy(self) -> dict[str, Any]:
        return deepcopy(self._streams)

    def go_back(self, to: dict[str, Any]) -> None:
        """It was killed, and what it had not written to its disk yet is gone."""
        self._streams = deepcopy(to)

    # Commands

    def ask(self, command: Command) -> Any:
        word, *rest = command
        try:
            return getattr(self, f"_{str(word).lower()}")(*rest)
        except ResponseError as error:
            return error

    def _xadd(self, key: str, *rest: Any) -> bytes:
        stream = self._streams.setdefault(key, _Stream())
        at = 3 if rest[0] == "MAXLEN" else 0
        name = (now, 0) if (now := self._now()) > stream.last[0] else (stream.last[0], stream.last[1] + 1)
        name = name if rest[at] == "*" else _name(rest[at])
        stream.entries[name] = [item if isinstance(item, bytes) else str(item).encode() for item in rest[at + 1 :]]
        stream.last, stream.added = name, stream.added + 1
        self.rung.set()
        return _shown(name)

    def _xtrim(self, key: str, _maxlen: str, keep: int) -> int:
        stream = self._streams.get(key, _Stream())
        gone = list(stream.entries)[: max(0, len(stream.entries) - int(keep))]
        for name in gone:
            del stream.entries[name]
        return len(gone)

    def _xdel(self, key: str, *names: Any) -> int:
        stream = self._streams.get(key, _Stream())
        gone = [each for each in map(_name, names) if stream.entries.pop(each, None) is not None]
        stream.deleted = max([stream.deleted, *gone])
        return len(gone)

    def _del(self, key: str) -> int:
        return int(self._streams.pop(key, None) is not None)

    def _info(self) -> bytes:
        return INFO

    def _xinfo(self, what: str, key: str) -> list[Any]:
        stream = self._known(key)
        if what == "GROUPS":
            return [
                [b"name", name.encode(), b"pending", len(group.pending), b"last-delivered-id", _shown(group.last)]
                for name, group in sorted(stream.groups.items())
            ]
        first = next(iter(stream.entries), None)
        return [
            b"length",
            len(stream.entries),
            b"last-generated-id",
            _shown(stream.last),
            b"max-deleted-entry-id",
            _shown(stream.deleted),
            b"entries-added",
            stream.added,
            b"first-entry",
            None if first is None else [_shown(first), stream.entries[first]],
        ]

    def _xgroup(self, what: str, key: str, name: str, at: Any = "", mkstream: str = "") -> Any:
        if mkstream:
            self._streams.setdefault(key, _Stream())
        stream = self._known(key)
        if what == "DESTROY":
            return int(stream.groups.pop(name, None) is not None)
        begin = stream.last if at == "$" else _name(at)
        if what == "CREATE":
            if name in stream.groups:
                raise ResponseError("BUSYGROUP Consumer Group name already exists")
            stream.groups[name] = _Group(begin)
        else:
            self._group(key, name).last = begin
        return b"OK"

    def _xreadgroup(self, _group: str, name: str, consumer: str, _count: str, count: int, _streams: str, key: str, after: Any) -> Any:
        group, stream = self._group(key, name), self._known(key)
        if after == ">":
            fresh = [each for each in stream.entries if each > group.last][: int(count)]
            for each in fresh:
                group.pending[each] = consumer
                group.last = each
            return [[key.encode(), [[_shown(each), stream.entries[each]] for each in fresh]]] if fresh else None
        own = [each for each, whose in sorted(group.pending.items()) if whose == consumer and each > _name(after)][: int(count)]
        return [[key.encode(), [[_shown(each), stream.entries.get(each)] for each in own]]]

    def _xautoclaim(self, key: str, name: str, *_: Any) -> list[Any]:
        """Nothing here is ever idle for so long as anybody would ask."""
        self._group(key, name)
        return [b"0-0", [], []]

    def _xread(self, _count: str, count: int, *rest: Any) -> Any:
        key, after = rest[-2], _name(rest[-1])
        stream = self._streams.get(key, _Stream())
        fresh = [each for each in stream.entries if each > after][: int(count)]
        return [[key.encode(), [[_shown(each), stream.entries[each]] for each in fresh]]] if fresh else None

    def _xack(self, key: str, name: str, *names: Any) -> int:
        group = self._streams.get(key, _Stream()).groups.get(name)
        taken = [] if group is None else [each for each in map(_name, names) if group.pending.pop(each, None) is not None]
        for each in taken:
            self.acked(_shown(each).decode())
        return len(taken)

    def _xrange(self, key: str, start: Any, end: Any, *rest: Any) -> list[Any]:
        entries = self._streams.get(key, _Stream()).entries
        found = [[_shown(each), fields] for each, fields in entries.items() if self._lies(each, start, end)]
        return found[: int(rest[1])] if rest else found

    def _xrevrange(self, key: str, end: Any, start: Any, *rest: Any) -> list[Any]:
        return self._xrange(key, start, end)[::-1][: int(rest[1]) if rest else None]

    def _xpending(self, key: str, name: str, *rest: Any) -> list[Any]:
        """Only the long form, for one consumer."""
        start, end, count, consumer = rest
        pending = sorted(self._group(key, name).pending.items())
        found = [[_shown(each), whose.encode(), 0, 1] for each, whose in pending if whose == consumer and self._lies(each, start, end)]
        return found[: int(count)]

    @staticmethod
    def _lies(each: Name, start: Any, end: Any) -> bool:
        is_after = str(start if isinstance(start, str) else start.decode()).startswith("(")
        return (each > _name(start) if is_after else each >= _name(start)) and each <= _name(end, last=True)

    def _known(self, key: str) -> _Stream:
        if key not in self._streams:
            raise ResponseError(NO_KEY)
        return self._streams[key]

    def _group(self, key: str, name: str) -> _Group:
        stream = self._streams.get(key)
        if stream is None or name not in stream.groups:
            raise ResponseError(f"NOGROUP No such key '{key}' or consumer group '{name}'")
        return stream.groups[name]


class SimulatedLink:
    """`lag` gives seconds for each way; `loses` says whether an answer is lost though all was done."""

    def __init__(self, redis: SimulatedRedis, is_alive: Callable[[], bool], lag: Callable[[], float], loses: Callable[[], bool]) -> None:
        self._redis, self._is_alive, self._lag, self._loses = redis, is_alive, lag, loses
        self._turn, self._life = asyncio.Lock(), redis.lives
        self.status = FeedStatus(True, 0)

    async def ask(self, *commands: Command) -> list[Any]:
        async with self._turn:
            await asyncio.sleep(self._lag())
            if self._is_away():
                raise ConnectionLostError("it is away")
            await self._wait_while_it_hangs(commands)
            answers = []
            for number, command in enumerate(commands, 1):
                answers.append(await self._answer(command))
                if "BLOCK" in command:  # meanwhile much may have happened to it
                    if self._is_away():
                        raise ConnectionLostError("it went away")
                    await self._wait_while_it_hangs(commands[number:])
            await asyncio.sleep(self._lag())
            if self._is_away() or self._loses():
                raise ConnectionLostError("the answer was lost")
            if not self.status.connected:
                self.status = FeedStatus(True, 0, self.status.error)
            return answers

    async def _wait_while_it_hangs(self, commands: Sequence[Command]) -> None:
        hangs, loop = self._redis.hangs_until, self._redis.loop
        left = 0.0 if loop is None else hangs - loop.time()
        if loop is None or left <= 0:
            return
        if left > ANSWER_S:
            loop.call_at(hangs, self._do_late, commands, self._redis.lives)
        await asyncio.sleep(min(left, ANSWER_S))
        if left > ANSWER_S or self._is_away():
            raise ConnectionLostError("there was no answer in time")

    def _do_late(self, commands: Sequence[Command], lives: int) -> None:
        """By a server that is still the one that was asked."""
        if self._redis.lives == lives:
            for command in commands:
                self._redis.ask(command)

    def _is_away(self) -> bool:
        """No connection outlives the server at its end."""
        before, self._life = self._life, self._redis.lives
        return not (self._redis.is_up and self._is_alive()) or before != self._life

    async def _answer(self, command: Command) -> Any:
        answer = self._redis.ask(command)
        if answer is not None or "BLOCK" not in command:
            return answer
        try:
            async with asyncio.timeout(int(command[list(command).index("BLOCK") + 1]) / 1_000):
                while (answer := self._redis.ask(command)) is None:
                    self._redis.rung.clear()
                    await self._redis.rung.wait()
        except TimeoutError:
            return None
        return answer

    async def one(self, *command: str | bytes | int) -> Any:
        (answer,) = await self.ask(command)
        if isinstance(answer, ResponseError):
            raise answer
        return answer

    async def together(self, *commands: Command, after: Command | None = None) -> list[Any]:
        first = [] if after is None else [after]
        return (await self.ask(*first, *commands))[len(first) :]

    async def rest(self, error: RedisError) -> None:
        self.status = FeedStatus(False, 0, str(error))
        await asyncio.sleep(0.05)

    async def close(self) -> None: ...


class SimulatedFeed(RedisSignalFeed):
    """The real one on a simulated line."""

    def __init__(
        self,
        new_link: Callable[[], SimulatedLink],
        since: FeedPosition | None,
        sequences: Mapping[str, int] | None = None,
        unjudged: Unjudged | None = None,
    ) -> None:
        nowhere: Any = SimpleNamespace(address="redis://nowhere", shown="the simulation", in_use=None)
        super().__init__(nowhere, since=since, sequences=sequences, unjudged=unjudged)
        line: Any = new_link()
        bell: Any = new_link()
        self._link, self._bell = line, bell


class SimulatedPriceFeed(RedisPriceFeed):
    """As above."""

    def __init__(self, new_link: Callable[[], SimulatedLink], symbols: Collection[str], instruments: Mapping[str, Instrument]) -> None:
        nowhere: Any = SimpleNamespace(address="redis://nowhere", shown="the simulation", in_use=None)
        super().__init__(nowhere, symbols, instruments)
        line: Any = new_link()
        self._link = line
