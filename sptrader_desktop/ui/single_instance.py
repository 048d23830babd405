"""One window for each person: a second launch raises the first window and ends.

A lock decides who is first, so that a socket left behind by a crash is known to be nobody's and is replaced.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.file_lock import FileLock

SOCKET, LOCK = "window", "window.lock"
PATIENCE_MS = 3000
LONGEST = 1 << 16
HEARD = b"heard\n"


class SingleInstance(QObject):
    """`raised` comes with the arguments of every later launch, for the first window to come to the front and open them."""

    raised = Signal(list)

    def __init__(self, lock: FileLock, server: QLocalServer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock, self._server = lock, server
        server.setParent(self)
        server.newConnection.connect(self._on_connection)

    def close(self) -> None:
        self._server.close()
        self._lock.give()

    def _on_connection(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            _Caller(socket, self.raised.emit, self)


class _Caller(QObject):
    """One later launch: its arguments, each ended by a zero byte, and an empty one at the end."""

    def __init__(self, socket: QLocalSocket, heard: Callable[[list[str]], object], parent: QObject) -> None:
        super().__init__(parent)
        self._socket, self._heard = socket, heard
        self._bytes = b""
        socket.setParent(self)
        socket.readyRead.connect(self._on_ready)
        socket.disconnected.connect(self.deleteLater)
        self._on_ready()

    def _on_ready(self) -> None:
        self._bytes += bytes(self._socket.readAll().data())
        if len(self._bytes) > LONGEST:
            self._socket.abort()
        elif self._bytes.endswith(b"\0\0"):
            message, self._bytes = self._bytes[:-2], b""
            self._socket.write(HEARD)
            self._socket.flush()
            self._heard([part.decode(errors="replace") for part in message.split(b"\0") if part])


def take_first_place(sockets: Path, arguments: Sequence[str] = ()) -> SingleInstance | None:
    """None where another window is first and has heard the arguments: this program is to end with code 0. Needs the QApplication."""
    assert QCoreApplication.instance(), "a socket that is made before the application is deaf"
    lock = FileLock(sockets / LOCK)
    try:
        is_first = lock.take()
    except OSError as error:
        raise SptraderError(f"{sockets}: this folder cannot be used ({error.strerror}): name another with XDG_RUNTIME_DIR") from None
    if not is_first:
        _call_the_first(sockets, arguments)
        return None
    server = QLocalServer()
    server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
    name = str(sockets / SOCKET)
    QLocalServer.removeServer(name)  # left behind by a crash: whoever uses it would hold the lock
    if not server.listen(name):
        lock.give()
        raise SptraderError(f"{name}: no socket can be made there ({server.errorString()}): name another folder with XDG_RUNTIME_DIR")
    return SingleInstance(lock, server)


def _call_the_first(sockets: Path, arguments: Sequence[str]) -> None:
    """Waits: this program has no window yet that could be kept from moving."""
    socket = QLocalSocket()
    socket.connectToServer(str(sockets / SOCKET))
    message = b"".join(argument.encode() + b"\0" for argument in arguments) + (b"\0" if arguments else b"\0\0")
    if socket.waitForConnected(PATIENCE_MS):
        socket.write(message)
        socket.flush()
        if socket.waitForReadyRead(PATIENCE_MS) and bytes(socket.readAll().data()) == HEARD:
            socket.disconnectFromServer()
            return
    raise SptraderError("SPtrader is running already, but its window does not answer: wait for it, or end that program and start again")
