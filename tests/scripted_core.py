"""A core that says hello, beats and sends orders as fast as it can: `-m tests.scripted_core FOLDER ORDERS KIND [hog]`.

It prints a line when it may trade, and at its end, when its input closes, how many orders were sent and how many refused.
"""

import itertools
import json
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from sptrader_desktop.guardian.lines import LONGEST_OF_BROKER, LineBuffer, parsed, written
from sptrader_desktop.guardian.places import Places

BEAT_S = 0.2


class Core:
    def __init__(self, places: Places) -> None:
        self.orders, self.control = (socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
        self.orders.connect(str(places.orders))
        self.control.connect(str(places.control))
        self.sent = self.refused = 0
        self.may_trade = threading.Event()

    def run(self, most: int, kind: str, *, is_hog: bool) -> None:
        for work in (self._beat, self._read, *([self._hog] * 2 if is_hog else [])):
            threading.Thread(target=work, daemon=True).start()
        self.orders.sendall(written({"do": "hello", "account": "paper-1", "since": 0}))
        assert self.may_trade.wait(10)
        say("ready")
        threading.Thread(target=self._trade, args=(most, kind), daemon=True).start()
        sys.stdin.read()
        say(json.dumps({"sent": self.sent, "refused": self.refused}))

    def _beat(self) -> None:
        with suppress(OSError):  # the guardian is gone
            while True:
                self.control.sendall(written({"do": "heartbeat", "from": "core"}))
                self.control.recv(65536)
                time.sleep(BEAT_S)

    def _read(self) -> None:
        lines = LineBuffer(LONGEST_OF_BROKER)
        while data := self._received():
            lines.feed(data)
            while (line := lines.pop()) is not None:
                message = parsed(line)
                self.refused += message["is"] == "refused"
                if message["is"] == "gate" and message["open"]:
                    self.may_trade.set()

    def _received(self) -> bytes:
        with suppress(OSError):
            return self.orders.recv(65536)
        return b""

    def _trade(self, most: int, kind: str) -> None:
        """A negative most is without end."""
        for number in itertools.count(1):
            if 0 <= most < number:
                return
            order = {"do": "place", "id": f"order-{number}", "symbol": "EURUSD", "side": 1, "kind": kind, "quantity": 1000}
            rest = {"level": None if kind == "market" else 110_000, "expiry": -1, "rule": 0, "stop_distance": 100, "target_distance": None}
            try:
                self.orders.sendall(written(order | rest))
            except OSError:
                return
            self.sent = number

    def _hog(self) -> None:
        while True:
            sum(range(1000))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Core(Places(Path(sys.argv[1]))).run(int(sys.argv[2]), sys.argv[3], is_hog=sys.argv[4:] == ["hog"])
