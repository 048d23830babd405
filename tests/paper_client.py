"""A paper broker in a process of its own and what talks to it, for tests."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sptrader_desktop.adapters.broker_lines import Fault, Price, answer_in, line_of
from sptrader_desktop.adapters.json_paper_terms import write_terms
from sptrader_desktop.adapters.paper_broker_process import MODULE, BrokerPlaces, places_in
from sptrader_desktop.core.broker_messages import Answer, Asked, AskSnapshot, Hello, Ping, Pong, Snapshot, Transaction, Welcome
from sptrader_desktop.runtime.live.paper_terms import PaperTerms
from sptrader_desktop.settings import load_settings

PATIENCE_S = 30


class Client:
    """One connection. `told` are the transactions it heard, as they came."""

    def __init__(self, places: BrokerPlaces) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE_S)
        try:
            self._socket.connect(os.fspath(places.socket))
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")
        self.told: list[Transaction] = []

    def say(self, *messages: Asked | Price | Fault) -> None:
        self._socket.sendall(b"".join(map(line_of, messages)))

    def raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hear(self) -> Answer | None:
        """None where the connection has ended."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        if not line.endswith(b"\n"):
            return None
        answer = answer_in(line)
        if isinstance(answer, Transaction):
            self.told.append(answer)
        return answer

    def until(self, wanted: Callable[[Answer], bool]) -> Answer:
        while True:
            answer = self.hear()
            assert answer is not None, "the connection ended"
            if wanted(answer):
                return answer

    def hello(self, account: str = "paper", since: int = 0) -> Welcome:
        self.say(Hello(account, since))
        welcome = self.until(lambda answer: isinstance(answer, Welcome))
        assert isinstance(welcome, Welcome)
        return welcome

    def settle(self, *messages: Asked | Price | Fault) -> list[Transaction]:
        """What was told until all of it was done."""
        before = len(self.told)
        self.say(*messages, Ping("settle"))
        self.until(lambda answer: isinstance(answer, Pong))
        return self.told[before:]

    def arm(self, fault: str, **figures: int | str) -> None:
        self.say(Fault(fault, figures))
        self.until(lambda answer: isinstance(answer, Pong))

    def snapshot(self) -> Snapshot:
        self.say(AskSnapshot("look"))
        shown = self.until(lambda answer: isinstance(answer, Snapshot))
        assert isinstance(shown, Snapshot)
        return shown

    def has_ended(self) -> bool:
        while (answer := self.hear()) is not None:
            assert isinstance(answer, Transaction)
        return True

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PaperProcess:
    def __init__(self, folder: Path, terms: PaperTerms, *options: str) -> None:
        self.places = places_in(folder, load_settings())
        write_terms(self.places.terms, terms)
        self._options = options or ("--prices", "lines", "--faults")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.places.socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", MODULE, str(self.places.folder), *self._options]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while self._process.poll() is None:
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError), Client(self.places) as client:
                client.settle()
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
        raise AssertionError(self._process.communicate()[1].decode())

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate(timeout=PATIENCE_S)

    def __enter__(self) -> "PaperProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def end(self) -> str:
        """As a person would; what it said."""
        assert self._process is not None
        self._process.terminate()
        said = self._process.communicate(timeout=PATIENCE_S)[1].decode()
        assert self._process.returncode == 0, said
        return said

    def client(self, since: int = 0) -> Client:
        client = Client(self.places)
        client.hello(since=since)
        return client


def paper_process(folder: Path, terms: PaperTerms, *options: str) -> PaperProcess:
    """Running inside a `with`."""
    return PaperProcess(folder, terms, *options)
