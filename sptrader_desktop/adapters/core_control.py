"""The control socket of a live session: watchers are told its state and its events, and may command it; none of them can hold it up.

Nothing here waits for a watcher. One that reads slowly is shown fewer states, and is dropped when it does not read at all.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from itertools import count
from typing import Any

from sptrader_desktop.core.errors import MachineError, SptraderError
from sptrader_desktop.guardian.lines import LONGEST, LONGEST_OF_BROKER, LineError, Message, parsed, written
from sptrader_desktop.guardian.places import Places, listening
from sptrader_desktop.runtime.live.command import Command, command_of

log = logging.getLogger("sptrader.live")
TELL_S, LAST_S = 0.1, 0.5
MOST_CLIENTS = 16
MOST_UNREAD = 4 << 20
MOST_AT_WORK = 8  # commands of one client

State = Callable[[], Mapping[str, Any]]
LongFeeds = Callable[[], Iterable[tuple[str, object, Callable[[], list[Any]]]]]
Obey = Callable[[Command], Awaitable[None]]
Bars = Callable[[str], Mapping[str, Any]]


class CoreControl:
    """`state` is asked ten times a second while somebody watches, and never otherwise."""

    def __init__(self, places: Places, state: State, feeds: LongFeeds, obey: Obey, bars: Bars) -> None:
        self._places, self._lines, self._obey, self._bars = places, StateLines(state, feeds), obey, bars
        self._clients: set[_Client] = set()
        self._meetings: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._telling: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Only for whoever holds the journal: a socket that somebody left is taken over."""
        try:
            listener = listening(self._places.core)
        except OSError as error:
            raise MachineError(f"{self._places.core}: it cannot be listened at ({error.strerror})") from None
        self._server = await asyncio.start_unix_server(self._met, sock=listener, limit=LONGEST)
        self._telling = asyncio.create_task(self._go_on_telling())

    async def close(self) -> None:
        """Watchers hear the last state, if they read."""
        if self._server is None or self._telling is None:
            return
        self._telling.cancel()
        await asyncio.gather(self._telling, return_exceptions=True)
        self._server.close()
        self._places.core.unlink(missing_ok=True)
        self._tell_state()
        for client in list(self._clients):
            client.writer.close()
        if self._meetings:
            await asyncio.wait(self._meetings, timeout=LAST_S)
        for client in list(self._clients):
            client.writer.transport.abort()
        await asyncio.gather(*self._meetings)

    def event(self, told: Mapping[str, Any]) -> None:
        watching = [client for client in self._clients if client.is_watching]
        if watching:
            line = written(dict(told))
            for client in watching:
                client.tell(line)

    # Telling

    async def _go_on_telling(self) -> None:
        while True:
            await asyncio.sleep(TELL_S)
            self._tell_state()

    def _tell_state(self) -> None:
        watching = [client for client in self._clients if client.is_watching]
        if not watching:
            return
        number, line = self._lines.now()
        for client in watching:
            client.tell_state(number, line)

    # Clients

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        meeting = asyncio.get_running_loop().create_task(self._meet(reader, writer))
        self._meetings.add(meeting)
        meeting.add_done_callback(self._meetings.discard)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer)
        if len(self._clients) >= MOST_CLIENTS:
            client.tell(written({"is": "refused", "why": f"{MOST_CLIENTS} programs watch already: close one of them"}))
            writer.close()
            return
        self._clients.add(client)
        try:
            while True:
                await self._heard(client, parsed(await reader.readuntil(b"\n")))
        except LineError as error:
            client.tell(written({"is": "refused", "why": str(error)}))
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            self._clients.discard(client)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _heard(self, client: "_Client", message: Message) -> None:
        match message.get("do"):
            case "watch":
                client.is_watching = True
                client.tell_state(*self._lines.now())
            case "command":
                if len(client.at_work) >= MOST_AT_WORK:
                    await asyncio.wait(client.at_work, return_when=asyncio.FIRST_COMPLETED)
                work = asyncio.create_task(self._done(client, message))
                client.at_work.add(work)
                work.add_done_callback(client.at_work.discard)
            case "bars":
                client.tell(written(self._bars_of(str(message.get("symbol")))))
            case other:
                raise LineError(f"{other} is nothing that can be asked: watch, bars and command are")

    def _bars_of(self, symbol: str) -> Message:
        try:
            return dict(self._bars(symbol))
        except SptraderError as error:
            return {"is": "bars", "symbol": symbol, "rows": [], "why": str(error)}

    async def _done(self, client: "_Client", message: Message) -> None:
        """In a task of its own: what takes long keeps no other waiting, and is finished also for a client that has left."""
        answer: Message = {"is": "done", "id": message.get("id")}
        try:
            asked = command_of(message)
            log.info("%s asks for %s %s", asked.by, asked.what, asked.about)
            await self._obey(asked)
        except SptraderError as error:
            answer = {"is": "refused", "id": message.get("id"), "why": str(error)}
            log.info("it was refused: %s", error)
        client.tell(written(answer))


class StateLines:
    """The state as a line, written anew only where it changed; the long feeds seldom do. `number` is that of the last change."""

    def __init__(self, state: State, feeds: LongFeeds) -> None:
        self._state, self._feeds = state, feeds
        self._long: dict[str, tuple[object, str]] = {}
        self._said, self._line, self._number = "", b"", 0

    def now(self) -> tuple[int, bytes]:
        document = dict(self._state())
        at = document.pop("at", None)
        parts = [json.dumps(document, separators=(",", ":"))[1:-1]]
        for name, known, write in self._feeds():
            if name not in self._long or self._long[name][0] != known:
                self._long[name] = (known, json.dumps(write(), separators=(",", ":")))
            parts.append(f'"{name}":{self._long[name][1]}')
        said = ",".join(parts)
        if said != self._said:
            self._said, self._number = said, self._number + 1
            self._line = f'{{"at":{json.dumps(at)},{said}}}\n'.encode()
        return self._number, self._line


class _Client:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.is_watching = False
        self.at_work: set[asyncio.Task[None]] = set()
        self._shown = -1

    @property
    def _unread(self) -> int:
        return self.writer.transport.get_write_buffer_size()

    def tell(self, line: bytes) -> None:
        if self.writer.is_closing():
            return
        if self._unread + len(line) > MOST_UNREAD:
            log.warning("a watcher that does not read was dropped")
            self.writer.transport.abort()
            return
        self.writer.write(line)

    def tell_state(self, number: int, line: bytes) -> None:
        """Once it has read the one before."""
        if number != self._shown and not self._unread:
            self._shown = number
            self.tell(line)


class CoreClient:
    """A watcher of a live session. `told` hears states and events, and `left` once when the session is no longer there."""

    def __init__(self, places: Places, told: Callable[[Message], None], left: Callable[[], None]) -> None:
        self._places, self._told, self._left = places, told, left
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> bool:
        """Whether there is a session to watch."""
        try:
            self._streams = await asyncio.open_unix_connection(self._places.core, limit=LONGEST_OF_BROKER)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError as error:
            raise MachineError(f"{self._places.core}: the live session cannot be reached ({error.strerror})") from None
        self._reading = asyncio.create_task(self._read(self._streams[0]))
        self._streams[1].write(written({"do": "watch"}))
        return True

    async def command(self, what: str, about: str, by: str, patience_s: float = 10.0) -> None:
        """SptraderError says why it was refused, or that nobody knows whether it was done."""
        if self._streams is None or self._reading is None or self._reading.done():
            raise MachineError("there is no live session to ask: start one")
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._streams[1].write(written({"do": "command", "id": number, "what": what, "about": about, "by": by}))
            async with asyncio.timeout(patience_s):
                answer = await self._asked[number]
        except TimeoutError:
            raise MachineError(f"the live session did not answer to {what} within {patience_s:g} s: see its state") from None
        finally:
            del self._asked[number]
        if answer.get("is") == "refused":
            raise SptraderError(str(answer.get("why")))

    def ask_bars(self, symbol: str) -> None:
        """`told` hears them."""
        if self._streams is not None:
            self._streams[1].write(written({"do": "bars", "symbol": symbol}))

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._streams is not None:
            self._streams[1].close()
            with suppress(OSError):
                await self._streams[1].wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, EOFError, asyncio.LimitOverrunError, LineError):
            while True:
                self._take(parsed(await reader.readuntil(b"\n")))
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_result({"is": "refused", "why": "the live session ended before it answered: see its log"})
        if self._streams is not None:
            self._streams[1].close()
        self._left()

    def _take(self, message: Message) -> None:
        if message.get("is") in {"done", "refused"}:
            waiting = self._asked.get(message.get("id") or 0)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        else:
            self._told(message)
