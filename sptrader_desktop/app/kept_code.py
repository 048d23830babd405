"""What Python would compile anew at every start although its text is the same: the methods that dataclasses write, and the part of Qt for
Python that comes as text. Kept where Python keeps its own bytecode, under the text itself, so that nothing kept can be out of date.
"""

import __future__

import builtins
import dataclasses
import marshal
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import CodeType
from typing import Any, cast

from sptrader_desktop.runtime.whole_files import write_whole

MOST_BYTES = 8_000_000  # of texts that nobody has any more: then all begins anew
SUM_BYTES = 4
FUTURES = __future__.annotations.compiler_flag  # what a text takes over from the module that compiles it

_Key = tuple[str | bytes, str, str, int]


class KeptCode:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.added = 0
        self._codes = _read(path)

    def compiled(self, text: str | bytes, name: str, mode: str, flags: int) -> CodeType:
        key = (text, name, mode, flags)
        kept = self._codes.get(key)
        if kept is not None:
            return cast("CodeType", marshal.loads(kept))
        code: CodeType = compile(text, name, mode, flags, dont_inherit=True)
        self._codes[key] = marshal.dumps(code)
        self.added += 1
        return code

    def keep(self) -> None:
        """Whole or not at all; where it cannot be written or is not wanted, not, as Python does with its own."""
        if not self.added or sys.dont_write_bytecode:
            return
        content = marshal.dumps(self._codes)
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, _head(content) + content)


def _read(path: Path) -> dict[_Key, bytes]:
    with suppress(OSError):
        content = path.read_bytes()
        size = len(MAGIC_NUMBER) + SUM_BYTES
        if len(content) <= MOST_BYTES and content[:size] == _head(content[size:]):
            return cast("dict[_Key, bytes]", marshal.loads(content[size:]))
    return {}


def _head(content: bytes) -> bytes:
    return MAGIC_NUMBER + zlib.crc32(content).to_bytes(SUM_BYTES)


@contextmanager
def code_kept_beside(module: str, without: frozenset[str] = frozenset()) -> Iterator[KeptCode]:
    """While it is entered; `module` is a file with source. A text whose name is in `without` is taken for empty."""
    kept, compiles = KeptCode(Path(cache_from_source(module)).with_suffix(".kept")), builtins.compile

    def compiled(source: Any, filename: Any, mode: Any, *others: Any, **more: Any) -> Any:  # as Python names them
        if others or more or type(source) not in {str, bytes} or {type(filename), type(mode)} != {str}:  # the rest marshal may not take
            return compiles(source, filename, mode, *others, **more)
        return kept.compiled("" if filename in without else source, filename, mode, sys._getframe(1).f_code.co_flags & FUTURES)

    def run(text: str, names: dict[str, Any], found: dict[str, Any]) -> None:
        exec(kept.compiled(text, "<string>", "exec", 0), names, found)

    vars(dataclasses)["exec"], vars(builtins)["compile"] = run, compiled
    try:
        yield kept
    finally:
        vars(builtins)["compile"] = compiles
        del vars(dataclasses)["exec"]
        kept.keep()
