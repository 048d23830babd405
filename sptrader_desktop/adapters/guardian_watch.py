"""The guardian as the window sees it: what stands, with or without a session, and told that we live while we watch one. Starts nothing."""

import asyncio
from contextlib import suppress
from pathlib import Path

from sptrader_desktop.guardian import asking
from sptrader_desktop.guardian.lines import LONGEST, LineError, Message, parsed, written
from sptrader_desktop.guardian.places import live_places

SILENCE_S = 1.0
WINDOW = "window"


class GuardianWatch:
    """One look after another: they are not asked at once."""

    def __init__(self, folder: Path) -> None:
        self._places = live_places(folder)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._is_awaited = False

    async def look(self, *, is_attached: bool) -> Message:
        """As `sptrader status` tells it. Attached, the guardian waits for us from now on; else no longer."""
        try:
            if is_attached or self._is_awaited:
                said: Message = {"do": "heartbeat" if is_attached else "goodbye", "from": WINDOW}
                self._is_awaited = await self._asked(said) is not None and is_attached
            answer = await self._asked({"do": "status"})
        except (OSError, EOFError, asyncio.LimitOverrunError, LineError) as error:
            self._drop()
            return asking.silent(str(asking.silence(self._places, error)), self._places)
        return asking.on_disk(self._places) if answer is None else asking.told(answer)

    async def leave(self) -> None:
        if self._is_awaited:
            with suppress(OSError, EOFError, asyncio.LimitOverrunError, LineError):
                await self._asked({"do": "goodbye", "from": WINDOW})
        self._is_awaited = False
        self._drop()

    async def _asked(self, message: Message) -> Message | None:
        """Nothing where no guardian runs, or it left since it was last asked."""
        if self._streams is not None and self._streams[0].at_eof():
            self._drop()
        async with asyncio.timeout(SILENCE_S):
            if self._streams is None:
                try:
                    self._streams = await asyncio.open_unix_connection(self._places.control, limit=LONGEST)
                except (FileNotFoundError, ConnectionRefusedError):
                    return None
            reader, writer = self._streams
            writer.write(written(message))
            return parsed(await reader.readuntil(b"\n"))

    def _drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
