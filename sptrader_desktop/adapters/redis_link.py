"""Questions to Redis under asyncio, over one connection on which no answer is ever taken for that of another question.

Whatever interrupts a question, a cancellation too, ends the connection. Nothing is asked twice by itself: only who asked knows what that
would do.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError, ResponseError

from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ports import FeedStatus

ANSWER_S = 1.0  # a server that says nothing for so long is taken to be away
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 1.0

Command = Sequence[str | bytes | int]


class RedisLink:
    """Used by several tasks at once, each question waits for the one before it. `name` is what the server calls its connection."""

    def __init__(self, server: RedisServer, name: str = "sptrader-live") -> None:
        self._server = server
        self._connections: Any = redis.asyncio.ConnectionPool.from_url(
            server.address,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            client_name=name,
        )
        self._connection: Any = None
        self._turn = asyncio.Lock()
        self._reviving: asyncio.Task[None] | None = None
        self._failures = 0
        self.status = FeedStatus(False, _now())

    async def ask(self, *commands: Command) -> list[Any]:
        """The answer to each, in bytes; where the server refused one, its error."""
        asked_to_end = _times_asked_to_end()
        async with self._turn:
            connection, self._connection = self._connection or self._connections.make_connection(), None
            is_whole = False
            try:
                await connection.connect()
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                if _times_asked_to_end() > asked_to_end:  # `wait_for` of Python 3.11, used for sending, forgets a cancellation now and then
                    raise asyncio.CancelledError
                answers = [await _answer(connection) for _ in commands]
                is_whole = True
            finally:
                if is_whole:
                    self._connection = connection
                else:
                    await connection.disconnect(nowait=True)
        if not self.status.connected:
            self.status = FeedStatus(True, _now(), self.status.error)
        self._failures = 0
        return answers

    async def one(self, *command: str | bytes | int) -> Any:
        """Its answer; raises the error of a refusal."""
        (answer,) = await self.ask(command)
        if isinstance(answer, ResponseError):
            raise answer
        return answer

    async def together(self, *commands: Command, after: Command | None = None) -> list[Any]:
        """At one instant of the server, or none of them: the one at which it has answered `after`."""
        first = [] if after is None else [after]
        answered = await self.ask(*first, ("MULTI",), *commands, ("EXEC",))
        if first and isinstance(answered[0], ResponseError):
            raise answered[0]
        _, *queued, answers = answered[len(first) :]
        if isinstance(answers, ResponseError):
            raise next((refused for refused in queued if isinstance(refused, ResponseError)), answers)
        found: list[Any] = answers
        return found

    async def rest(self, error: RedisError) -> None:
        """After a failure: says so, starts a server of the program's own again, and waits longer each time, two programs never the same."""
        self._tell(f"Redis at {self._server.shown}: {type(error).__name__} ({error})")
        await self._drop()
        if self._server.in_use is not None and isinstance(error, ConnectionLostError) and (self._reviving is None or self._reviving.done()):
            self._reviving = asyncio.create_task(self._revive())
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        await asyncio.sleep(random.uniform(longest / 2, longest))

    async def close(self) -> None:
        if self._reviving is not None:
            await asyncio.wait([self._reviving])
        await self._drop()

    async def _revive(self) -> None:
        assert self._server.in_use is not None, "only a server of our own is started"
        try:
            await asyncio.to_thread(self._server.in_use.revive)
        except DataError as error:
            self._tell(str(error))

    def _tell(self, error: str) -> None:
        since = _now() if self.status.connected else self.status.since
        self.status = FeedStatus(False, since, error)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


def info_of(answer: bytes) -> dict[str, str]:
    """What INFO says."""
    lines = (line.partition(":") for line in answer.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in lines if colon}


def pairs_of(answer: Sequence[Any]) -> dict[str, Any]:
    """What XINFO says of one thing."""
    return {bytes(name).decode(): value for name, value in zip(answer[::2], answer[1::2], strict=True)}


async def _answer(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as refused:
        return refused


def _times_asked_to_end() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _now() -> int:
    return time.time_ns() // 1_000
