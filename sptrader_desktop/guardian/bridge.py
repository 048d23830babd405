"""One core joined to one connection of the broker. If either goes, both go, and a core begins again with hello."""

import selectors
import socket
from collections.abc import Callable

from sptrader_desktop.guardian.connections import Connection
from sptrader_desktop.guardian.gate import Gate
from sptrader_desktop.guardian.lines import LONGEST_OF_BROKER, LineError, Message, written
from sptrader_desktop.guardian.pipe import Pipe

MOST_UNDERWAY = 4096  # asked of the system: what it has taken from us is beyond the gate, so a slow broker's orders wait here
MOST_UNREAD = 16 * 1024 * 1024  # what a core that has stopped reading may leave with us


class Bridge:
    """`hello` and `gone` tell of the core, `ended` when the broker has read all that was let out and nothing is left of this."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        core: socket.socket,
        broker: tuple[socket.socket, bool],
        gate: Gate,
        hello: Callable[[Message], None],
        gone: Callable[[], None],
        ended: Callable[["Bridge"], None],
    ) -> None:
        self.pipe = Pipe(gate)
        self._gate, self._hello, self._gone, self._ended = gate, hello, gone, ended
        self._half: bytes = b""  # of a line of which the rest did not fit
        self._half_is_of: int | None = None  # the gate's count, if that line is an order
        self._is_cut = False
        sock, is_connecting = broker
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_UNDERWAY)
        self.core = Connection(selector, core, self._from_core, self._core_gone, most_unsent=MOST_UNREAD)
        self.broker = Connection(
            selector,
            sock,
            self._from_broker,
            self._broker_gone,
            longest=LONGEST_OF_BROKER,
            room=self.pump,
            is_connecting=is_connecting,
        )

    @property
    def is_drained(self) -> bool:
        return not self.broker.is_open or (self.pipe.is_drained and not self._half and not self._is_cut)

    def mark(self) -> None:
        """The gate has shut: half an order that left is never completed."""
        self.pipe.mark()
        self.pump()

    def tell_core(self, message: Message) -> None:
        self.core.write(written(message))

    def work(self, most: int) -> bool:
        is_more = self.broker.work(most)
        is_more |= self.core.work(most)
        self.pump()
        return is_more

    def pump(self) -> None:
        while self.broker.is_open and not self._is_cut:
            if self._half:
                if not self._finish_half():
                    break
                continue
            taken = self.pipe.take()
            if taken is None:
                break
            line, is_order = taken
            sent = self.broker.write_now(line)
            if sent == 0:
                self.pipe.put_back()
                break
            self._half, self._half_is_of = line[sent:], self._gate.shuttings if is_order else None
        while self.pipe.refusals:
            self.core.write(self.pipe.refusals.popleft())
        if self.core.is_open:
            self.core.pause(is_paused=self.pipe.is_full)

    def _finish_half(self) -> bool:
        if self._half_is_of is not None and not self._gate.lets_out(self._half_is_of):
            self._is_cut = True
            self.broker.end()
            self.core.close()
            return False
        self._half = self._half[self.broker.write_now(self._half) :]
        return not self._half

    def _from_core(self, line: bytes) -> None:
        hello = self.pipe.from_core(line)
        if hello is not None:
            try:
                self._hello(hello)
            except LineError as error:
                self.core.write(written({"is": "refused", "id": None, "why": str(error)}))

    def _from_broker(self, line: bytes) -> None:
        try:
            passed = self.pipe.from_broker(line)
        except LineError:
            passed = line  # the core is to judge it
        if passed is not None:
            self.core.write(passed)
        elif not self.core.is_open and self.pipe.is_drained:
            self.broker.close()

    def _core_gone(self) -> None:
        """What it let out is still to be read by the broker; the answer to the mark, or the end of that connection, shows it was."""
        self._gone()
        self.mark()

    def _broker_gone(self) -> None:
        self.core.write(written({"is": "lost", "what": "broker"}))
        self.core.close()
        self._ended(self)
