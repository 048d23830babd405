"""Sockets that are never waited for: lines in, bytes out, and a word when the other side has gone."""

import contextlib
import errno
import selectors
import socket
from collections import deque
from collections.abc import Callable

from sptrader_desktop.guardian.lines import LONGEST, LineBuffer, LineError

AT_ONCE = 64 * 1024
BUSY = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EINPROGRESS}


class Connection:
    """`gone` is called once, whoever closed it and for whatever reason. `heard` is called with one line at a time, by `work`."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        sock: socket.socket,
        heard: Callable[[bytes], None],
        gone: Callable[[], None],
        *,
        longest: int = LONGEST,
        most_unsent: int = 1 << 62,
        room: Callable[[], None] | None = None,
        is_connecting: bool = False,
    ) -> None:
        self._selector, self._sock, self._heard, self._gone, self._room = selector, sock, heard, gone, room
        self._lines = LineBuffer(longest)
        self._unsent: deque[bytes] = deque()
        self._size, self._most_unsent = 0, most_unsent
        self._is_connecting, self._is_paused, self.is_open = is_connecting, False, True
        self._wants_room = self._has_ended = False
        sock.setblocking(False)
        self._events = self._wanted()
        selector.register(sock, self._events, self)

    # Towards the other side

    def write(self, data: bytes) -> None:
        """In its order, when there is room; who does not read for too long is left."""
        if not self.is_open:
            return
        self._unsent.append(data)
        self._size += len(data)
        self._flush()
        if self._size > self._most_unsent:
            self.close()

    def write_now(self, data: bytes) -> int:
        """How much of it went; `room` is called when there may be more room."""
        sent = self._sent(data) if self.is_open and not self._is_connecting and not self._unsent else 0
        self._wants_room = sent < len(data)
        self._adjust()
        return sent

    def end(self) -> None:
        """Nothing more from us; what was begun stays unfinished."""
        self._unsent.clear()
        self._size = 0
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def _flush(self) -> None:
        while self._unsent and self.is_open and not self._is_connecting:
            sent = self._sent(self._unsent[0])
            self._size -= sent
            if sent < len(self._unsent[0]):
                self._unsent[0] = self._unsent[0][sent:]
                break
            self._unsent.popleft()
        self._adjust()

    def _sent(self, data: bytes) -> int:
        try:
            return self._sock.send(data)
        except OSError as error:
            if error.errno not in BUSY:
                self.close()
            return 0

    # From the other side

    def ready(self, mask: int) -> None:
        if not self.is_open:
            return
        if mask & selectors.EVENT_WRITE:
            self._writable()
        if mask & selectors.EVENT_READ and self.is_open:
            self._readable()

    def _writable(self) -> None:
        if self._is_connecting:
            self._is_connecting = False
            if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.close()
                return
        self._flush()
        if self._room and self._wants_room and self.is_open:
            self._wants_room = False
            self._room()
            self._adjust()

    def _readable(self) -> None:
        try:
            data = self._sock.recv(AT_ONCE)
            if data:
                self._lines.feed(data)
            else:
                self._has_ended = True  # what it said before is still heard
                self._adjust()
        except LineError:
            self.close()
        except OSError as error:
            if error.errno not in BUSY:
                self.close()

    def work(self, most: int) -> bool:
        """At most so many lines; whether more are waiting."""
        for _ in range(most):
            line = self._lines.pop() if self.is_open and not self._is_paused else None
            if line is None:
                break
            self._heard(line)
        if self._has_ended and not self._lines:
            self.close()
        return self.is_open and not self._is_paused and len(self._lines) > 0

    def pause(self, *, is_paused: bool) -> None:
        self._is_paused = is_paused
        self._adjust()

    def close(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        if self._events:
            self._selector.unregister(self._sock)
        self._sock.close()
        self._gone()

    def _wanted(self) -> int:
        reading = 0 if self._is_paused or self._has_ended else selectors.EVENT_READ
        writing = selectors.EVENT_WRITE if self._unsent or self._wants_room or self._is_connecting else 0
        return reading | writing

    def _adjust(self) -> None:
        wanted = self._wanted()
        if not self.is_open or wanted == self._events:
            return
        if not wanted:
            self._selector.unregister(self._sock)
        elif self._events:
            self._selector.modify(self._sock, wanted, self)
        else:
            self._selector.register(self._sock, wanted, self)
        self._events = wanted


def begun(family: socket.AddressFamily, address: str | tuple[str, int]) -> tuple[socket.socket, bool] | None:
    """A socket and whether it is still being connected; nothing where nobody listens."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        code = sock.connect_ex(address)
    except OSError:  # a path that no socket can have
        code = errno.ENOENT
    if code in {0, errno.EINPROGRESS}:
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock, bool(code)
    sock.close()
    return None
