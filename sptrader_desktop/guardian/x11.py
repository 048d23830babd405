"""As much of the X11 protocol as it takes to be told of one key wherever the keyboard is. No library: one of them would end this process
when the display goes.
"""

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

SETUP_S = 2.0
LOCKS = (0, 2, 16, 18)  # Caps and Num Lock change nothing
MODIFIERS = {"shift": 1, "ctrl": 4, "alt": 8, "super": 64}
NAMED = {"pause": 0xFF13, "end": 0xFF57, "esc": 0xFF1B, **{f"f{number}": 0xFFBD + number for number in range(1, 13)}}
GRAB_KEY, GET_FOCUS, GET_KEYS = 33, 43, 101
ERROR, REPLY, PRESSED, GENERIC = 0, 1, 2, 35
COOKIE = b"MIT-MAGIC-COOKIE-1"


class DisplayError(Exception):
    """One sentence for a person."""


def parsed(keys: str) -> tuple[int, int]:
    """`Ctrl+Alt+Shift+X` as modifiers and the number of a key."""
    *names, key = keys.lower().replace(" ", "").split("+")
    number = NAMED.get(key, ord(key) if len(key) == 1 and key.isascii() and key.isalnum() else 0)
    if not number or not names or any(name not in MODIFIERS for name in names):
        raise DisplayError(
            f"{keys} is no key: write it like Ctrl+Alt+Shift+X, with Ctrl, Alt, Shift or Super before a letter, digit or F key"
        )
    return sum(MODIFIERS[name] for name in set(names)), number


def pressed(display: str, keys: str) -> Iterator[None]:
    """Comes to its first yield when the key is ours, then once for each press; ends with the display."""
    modifiers, key = parsed(keys)
    with _connected(display) as sock:
        first, last, root = _set_up(sock, display)
        code = _code_of(sock, key, first, last)
        for lock in LOCKS:
            sock.sendall(struct.pack("<BBHIHBBB3x", GRAB_KEY, 1, 4, root, modifiers | lock, code, 1, 1))
        sock.sendall(struct.pack("<BxH", GET_FOCUS, 1))
        if any(packet[0] == ERROR for packet in _until_reply(sock)):
            raise DisplayError(f"another program of this display has {keys}")
        sock.settimeout(None)
        yield
        while packet := _packet(sock):
            if packet[0] & 0x7F == PRESSED:
                yield


@contextlib.contextmanager
def _connected(display: str) -> Iterator[socket.socket]:
    host, _, number = display.partition(":")
    if host not in {"", "unix"}:
        raise DisplayError(f"the display {display} is on another computer")
    place = f"/tmp/.X11-unix/X{number.partition('.')[0]}"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(SETUP_S)
    with sock:
        try:
            sock.connect(place)
        except OSError:
            try:
                sock.connect(f"\0{place}")
            except OSError as error:
                raise DisplayError(f"the display {display} cannot be reached ({error.strerror})") from None
        try:
            yield sock
        except (OSError, EOFError, struct.error) as error:
            raise DisplayError(f"the display {display} does not answer ({error})") from None


def _set_up(sock: socket.socket, display: str) -> tuple[int, int, int]:
    """First and last number of a key on this keyboard, and the window that is behind all others."""
    cookie = _cookie(display.partition(":")[2].partition(".")[0].encode())
    name = COOKIE if cookie else b""
    sock.sendall(struct.pack("<BxHHHH2x", ord("l"), 11, 0, len(name), len(cookie)) + _padded(name) + _padded(cookie))
    status, words = struct.unpack("<B5xH", _exactly(sock, 8))
    told = _exactly(sock, 4 * words)
    if status != 1:
        raise DisplayError(f"the display {display} does not let us in")
    vendor, formats = struct.unpack_from("<H3xB", told, 16)
    root: int = struct.unpack_from("<I", told, 32 + vendor + -vendor % 4 + 8 * formats)[0]
    return told[26], told[27], root


def _code_of(sock: socket.socket, key: int, first: int, last: int) -> int:
    sock.sendall(struct.pack("<BxHBBxx", GET_KEYS, 2, first, last - first + 1))
    reply = list(_until_reply(sock))[-1]
    width = reply[1]
    symbols = struct.unpack(f"<{len(reply[32:]) // 4}I", reply[32:])
    found = [place // width for place, symbol in enumerate(symbols) if symbol == key]
    if not found:
        raise DisplayError("this keyboard has no such key")
    return first + found[0]


def _cookie(number: bytes) -> bytes:
    """What lets us in at that display, if anything is needed."""
    place = Path(os.environ.get("XAUTHORITY") or Path.home() / ".Xauthority")
    with contextlib.suppress(OSError, struct.error):
        content, at = place.read_bytes(), 0
        while at < len(content):
            at, fields = at + 2, list[bytes]()
            for _ in range(4):  # address, number of the display, name, cookie
                (size,) = struct.unpack_from(">H", content, at)
                fields.append(content[at + 2 : at + 2 + size])
                at += 2 + size
            if fields[2] == COOKIE and fields[1] in {b"", number}:
                return fields[3]
    return b""


def _until_reply(sock: socket.socket) -> Iterator[bytes]:
    """Errors that came before it, then the reply."""
    while True:
        packet = _packet(sock)
        if not packet:
            raise EOFError("it left")
        if packet[0] in {ERROR, REPLY}:
            yield packet
        if packet[0] == REPLY:
            return


def _packet(sock: socket.socket) -> bytes:
    """Nothing at the end."""
    try:
        head = _exactly(sock, 32)
    except (EOFError, ConnectionError):
        return b""
    return head + _exactly(sock, 4 * struct.unpack_from("<I", head, 4)[0]) if head[0] in {REPLY, GENERIC} else head


def _exactly(sock: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        data = sock.recv(size - len(found))
        if not data:
            raise EOFError("it left")
        found += data
    return found


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
