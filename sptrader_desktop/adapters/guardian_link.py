"""The guardian as the core and the window meet it: started where none runs, told five times a second that we live, noticed when it is gone.

Only the core has a line to the broker. A line that ends is never repaired: what was not answered is unknown; the next begins with hello.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from sptrader_desktop.core.errors import MachineError
from sptrader_desktop.guardian.launching import ATTEMPTS, PAUSE_S, launch
from sptrader_desktop.guardian.lines import LONGEST, LONGEST_OF_BROKER, LineError, Message, parsed, written
from sptrader_desktop.guardian.places import GuardianError, live_places

BEAT_S = 0.2
SILENCE_S = 1.0


class GuardianLink:
    """`lost` is called once with the reason, from the loop, when the guardian no longer answers, and the line to the broker ends with it;
    after `close` it is not, and `open` begins anew."""

    def __init__(self, live: Path, broker: str, who: str, lost: Callable[[str], None], *, options: tuple[str, ...] = ()) -> None:
        try:
            self._places = live_places(live)
        except GuardianError as error:
            raise MachineError(str(error)) from None
        self._broker, self._who, self._lost, self._options = broker, who, lost, options
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._line: OrderLine | None = None
        self.gate = ""
        self.starts = 0  # how many guardians this one started

    async def open(self) -> None:
        for _ in range(ATTEMPTS):
            with suppress(FileNotFoundError, ConnectionRefusedError):
                self._streams = await asyncio.open_unix_connection(self._places.control, limit=LONGEST)
                break
            try:
                self.starts += await asyncio.to_thread(launch, self._places, self._broker, self._options)
            except GuardianError as error:
                raise MachineError(str(error)) from None
            await asyncio.sleep(PAUSE_S)
        else:
            raise MachineError(f"{self._places.folder}: no guardian can be reached there: see {self._places.log}")
        await self._beat()
        self._beating = asyncio.create_task(self._go_on_beating())

    async def order_line(self, account: str, since: int) -> "OrderLine":
        """A new connection to the broker, with hello said; the gate is open if nothing else keeps it shut."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._places.orders, limit=LONGEST_OF_BROKER)
        except OSError as error:
            raise MachineError(f"{self._places.orders}: the guardian is not there ({error.strerror})") from None
        line = self._line = OrderLine(reader, writer)
        line.send({"do": "hello", "account": account, "since": since})
        return line

    async def stop(self, by: str, *, flatten: bool) -> Message:
        return await self._ask({"do": "stop", "flatten": flatten, "by": by})

    async def rearm(self, by: str) -> Message:
        return await self._ask({"do": "rearm", "by": by})

    async def status(self) -> Message:
        return await self._ask({"do": "status"})

    @property
    def is_heard(self) -> bool:
        return self._beating is not None and not self._beating.done()

    async def close(self) -> None:
        """In good order: we are no longer waited for."""
        if self._beating:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        if self._streams:
            with suppress(MachineError):
                await self._ask({"do": "goodbye", "from": self._who})
            await _closed(self._streams[1])
            self._streams = None

    async def _go_on_beating(self) -> None:
        try:
            while True:
                await asyncio.sleep(BEAT_S)
                await self._beat()
        except MachineError as error:
            self.gate = ""
            self._lost(str(error))
            if self._line is not None:
                self._line.cut()  # whoever is not heard is let out nothing, until he says hello anew

    async def _beat(self) -> None:
        self.gate = str((await self._ask({"do": "heartbeat", "from": self._who}))["gate"])

    async def _ask(self, message: Message) -> Message:
        """Answers come in the order of questions."""
        if not self._streams:
            raise MachineError(f"{self._places.folder}: there is no connection to the guardian")
        reader, writer = self._streams
        try:
            async with self._turn, asyncio.timeout(SILENCE_S):
                writer.write(written(message))
                answer = parsed(await reader.readuntil(b"\n"))
        except (OSError, EOFError, asyncio.LimitOverrunError, LineError):
            writer.close()
            raise MachineError(f"{self._places.folder}: the guardian is gone or silent: no order passes until it is back") from None
        if answer.get("is") == "refused":
            raise MachineError(f"{self._places.folder}: the guardian refused: {answer.get('why')}")
        return answer


class OrderLine:
    """The broker protocol both ways; `received` ends when the line does, for whatever reason."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, message: Message) -> bool:
        """Whether it was handed to the system; if not, it went nowhere."""
        if self._writer.is_closing():
            return False
        self._writer.write(written(message))
        return True

    async def received(self) -> AsyncIterator[Message]:
        with suppress(OSError, EOFError, asyncio.LimitOverrunError, LineError):
            while True:
                yield parsed(await self._reader.readuntil(b"\n"))
        self._writer.close()

    def cut(self) -> None:
        """Nothing is waited for: whoever does not read would keep us for ever."""
        self._writer.transport.abort()

    async def close(self) -> None:
        await _closed(self._writer)


async def _closed(writer: asyncio.StreamWriter) -> None:
    """What was said before is still written, if it is read within a while."""
    writer.close()
    try:
        async with asyncio.timeout(SILENCE_S):
            await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()
    except OSError:
        pass
