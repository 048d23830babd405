"""Worker processes started by asyncio: for commands and servers, where there is no window."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import PIPE

from sptrader_desktop.runtime.worker_process import Ended, Heard

GRACE_S = 0.5


async def start_worker(command: Sequence[str], environment: Mapping[str, str], errors: Path, heard: Heard, ended: Ended) -> "AsyncioWorker":
    with errors.open("wb") as file:
        _, worker = await asyncio.get_running_loop().subprocess_exec(
            lambda: AsyncioWorker(heard, ended),
            *command,
            env=dict(environment),
            stdin=PIPE,
            stdout=PIPE,
            stderr=file,
            start_new_session=True,
        )
    return worker


class AsyncioWorker(asyncio.SubprocessProtocol):
    def __init__(self, heard: Heard, ended: Ended) -> None:
        self._heard, self._ended = heard, ended
        self._gone = asyncio.Event()
        self.pid = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport), "a process was started"
        self._transport = transport
        self.pid = transport.get_pid()

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        self._heard(data)

    def pipe_connection_lost(self, _fd: int, _error: Exception | None) -> None:
        """Nearly always because the process has ended, which says more and is heard next."""
        asyncio.get_running_loop().call_later(GRACE_S, self._ended, "closed the program's own connection")

    def process_exited(self) -> None:
        code = self._transport.get_returncode() or 0
        self._ended(f"died of {signal_name(-code)}" if code < 0 else f"ended its process with exit code {code}")
        self._transport.close()
        self._gone.set()

    def send(self, line: bytes) -> None:
        pipe = self._transport.get_pipe_transport(0)
        assert isinstance(pipe, asyncio.WriteTransport), "it was started with one"
        pipe.write(line)

    async def gone(self) -> None:
        await self._gone.wait()


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
