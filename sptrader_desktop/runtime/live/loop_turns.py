"""One commit for all that comes in one turn of the loop: waiting for the disk is most of the work when much comes at once."""

import asyncio
from collections.abc import Callable


class LoopTurns:
    """`end` is called once, when everything has been done that was ready in the same turn."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._turn: asyncio.Task[None] | None = None

    def soon(self) -> "asyncio.Task[None]":
        """Over when `end` is."""
        if self._turn is None:
            self._turn = asyncio.get_running_loop().create_task(self._over())
        return self._turn

    async def _over(self) -> None:
        self._turn = None
        self._end()
