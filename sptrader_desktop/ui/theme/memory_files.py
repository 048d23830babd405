"""Files that exist in memory only: style sheets name images by file, and ours are coloured when the look is known.

Written as Qt's own resource compiler writes them: names sorted by their hash, a tree of entries, and the contents.
"""

import struct
import weakref
from collections.abc import Mapping

from PySide6.QtCore import qRegisterResourceData, qUnregisterResourceData

VERSION = 3
FOLDER = 2


class MemoryFiles:
    """One folder below `:/`, there until `forget` is called or nobody holds this any more."""

    def __init__(self, folder: str, contents: Mapping[str, bytes]) -> None:
        parts = compiled(folder, contents)
        qRegisterResourceData(VERSION, *parts)
        # Qt copies nothing and reads these bytes whenever it looks for any file of its own: they must not go before it lets go of them.
        self._finalizer = weakref.finalize(self, qUnregisterResourceData, VERSION, *parts)

    def forget(self) -> None:
        self._finalizer()


def compiled(folder: str, contents: Mapping[str, bytes]) -> tuple[bytes, bytes, bytes]:
    """Tree, names and data."""
    ordered = sorted(contents, key=name_hash)
    names, data = bytearray(named(folder)), bytearray()
    tree = bytearray(struct.pack(">IHIIQ", 0, FOLDER, 1, 1, 0))
    tree += struct.pack(">IHIIQ", 0, FOLDER, len(ordered), 2, 0)
    for name in ordered:
        tree += struct.pack(">IHHHIQ", len(names), 0, 0, 1, len(data), 0)
        names += named(name)
        data += struct.pack(">I", len(contents[name])) + contents[name]
    return bytes(tree), bytes(names), bytes(data)


def named(name: str) -> bytes:
    return struct.pack(">HI", len(name), name_hash(name)) + name.encode("utf-16-be")


def name_hash(name: str) -> int:
    found = 0
    for character in name:
        found = (found << 4) + ord(character)
        found ^= (found & 0xF0000000) >> 23
        found &= 0x0FFFFFFF
    return found
