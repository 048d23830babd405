"""Files that exist in memory only: style sheets name images by file, and ours are coloured when the look is known.

Written as Qt's own resource compiler writes them: names sorted by their hash, a tree of entries, and the contents.
"""

import struct
from collections.abc import Mapping

from PySide6.QtCore import qRegisterResourceData

VERSION = 3
FOLDER = 2


# Qt copies nothing and reads these bytes whenever it looks for any file of its own. Taking them back is refused while an image is being
# read, and then what is freed ends the program: so they stay, a few kilobytes for each look that was ever worn.
_KEPT: list[tuple[bytes, bytes, bytes]] = []


def keep_files(contents: Mapping[str, bytes]) -> str:
    """The name of their folder below `:/`, which no other has: Qt remembers images by name."""
    folder = f"look{len(_KEPT) + 1}"
    parts = compiled(folder, contents)
    _KEPT.append(parts)
    qRegisterResourceData(VERSION, *parts)
    return folder


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
