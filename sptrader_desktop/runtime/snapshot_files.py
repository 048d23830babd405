"""Snapshots as files beside their journal: two that take turns, each whole or not at all, and one past that both begin with.

The past is only ever added to. A snapshot says how long it was and what its hash was, so a flipped bit in it spoils those behind it alone.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from sptrader_desktop.runtime.live.snapshots import Snapshot

log = logging.getLogger("sptrader.live")
FORMAT = 1
WORDS = "sptrader snapshot"
HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Found:
    """What a file says of itself."""

    place: int
    seq: int
    head: bytes
    length: int  # of the past, in bytes
    past: str  # and its hash
    present: bytes


class _RefusedError(ValueError):
    """Why, as the end of a sentence."""


class SnapshotFiles:
    """`journal` is the path of the journal; `rules` a hash of what makes a state out of facts."""

    def __init__(self, journal: Path, rules: str) -> None:
        self._places = tuple(journal.with_suffix(f".snapshot-{number}") for number in (1, 2))
        self._past, self._rules = journal.with_suffix(".past"), rules
        self.refused: list[str] = []
        self._found: dict[int, _Found] = {}
        self._turn, self._length, self._digest = 0, 0, _digest()
        self._unwritten = b""
        self._writing: threading.Thread | None = None
        self._is_over = False

    # Reading

    def found(self) -> Iterator[Snapshot]:
        for place, path in enumerate(self._places):
            try:
                self._found[place] = self._read(place, path.read_bytes())
            except FileNotFoundError:
                pass
            except (OSError, _RefusedError) as error:
                self.refused.append(f"{path} {error if isinstance(error, _RefusedError) else f'cannot be read ({error.strerror})'}")
        for known in sorted(self._found.values(), key=lambda each: each.seq, reverse=True):
            try:
                yield Snapshot(known.seq, known.head, known.present, tuple(self._frames(known)))
            except _RefusedError as error:
                self.refused.append(f"{self._places[known.place]} {error}")

    def _read(self, place: int, content: bytes) -> _Found:
        line, _, present = content.partition(b"\n")
        said, _, check = line.rpartition(b" ")
        try:
            *words, version, rules, seq, head, length, past = said.decode("ascii").split(" ")
            found = _Found(place, int(seq), bytes.fromhex(head), int(length), past, present)
            number = int(version)
        except ValueError:
            raise _RefusedError("is damaged") from None
        if " ".join(words) == WORDS and number > FORMAT:
            raise _RefusedError(f"was written by a newer sptrader (format {number}, this one knows {FORMAT})")
        if _digest(said, present).hexdigest().encode() != check:
            raise _RefusedError("is damaged")
        if rules != self._rules:
            raise _RefusedError("was made by the rules of another version")
        return found

    def _frames(self, known: _Found) -> Iterator[bytes]:
        try:
            with self._past.open("rb") as file:
                content = file.read(known.length)
        except OSError:
            content = b""
        if len(content) != known.length or _digest(content).hexdigest() != known.past:
            raise _RefusedError(f"cannot be used: {self._past.name}, on which it rests, is damaged")
        at = 0
        while at < len(content):
            end = content.index(b"\n", at)
            size = int(content[at:end])
            yield content[end + 1 : end + 1 + size]
            at = end + 1 + size

    # Writing

    def begin(self, base: Snapshot | None) -> None:
        known = next((each for each in self._found.values() if base is not None and each.seq == base.seq), None)
        self._length = known.length if known else 0
        self._digest = _digest(self._past.read_bytes()[: self._length] if known else b"")
        self._turn = 1 - known.place if known else 0
        self._found.clear()

    @property
    def is_busy(self) -> bool:
        return self._writing is not None and self._writing.is_alive()

    def keep(self, seq: int, head: bytes, written: Callable[[], tuple[bytes, bytes]]) -> None:
        """On a thread of its own; whoever is asked again too early waits."""
        self.close()
        if not self._is_over:
            self._writing = threading.Thread(target=self._write, args=(seq, head, written), name="snapshot")
            self._writing.start()

    def _write(self, seq: int, head: bytes, written: Callable[[], tuple[bytes, bytes]]) -> None:
        """What could not be written is written with the next one. The one before stays good until this one is there."""
        try:
            present, past = written()
        except (TypeError, ValueError) as error:
            self._is_over = True  # what was to be added now is missing from all that follow
            log.warning("there are no more snapshots (%s): a restart applies all facts since the last", error)
            return
        self._unwritten += b"%d\n%b" % (len(past), past)
        try:
            self._lengthen()
            said = f"{WORDS} {FORMAT} {self._rules} {seq} {head.hex()} {self._length} {self._digest.hexdigest()}".encode()
            check = _digest(said, present).hexdigest().encode()
            place = self._places[self._turn]
            begun = place.with_name(f"{place.name}.tmp")
            _write_through(begun, said + b" " + check + b"\n" + present)
            begun.replace(place)
            self._turn = 1 - self._turn
        except OSError as error:
            log.warning("no snapshot could be kept (%s): the next one is tried", error.strerror)

    def _lengthen(self) -> None:
        """Behind what counts; what may stand there never came to."""
        if self._unwritten:
            _write_through(self._past, self._unwritten, self._length)
            self._digest.update(self._unwritten)
            self._length += len(self._unwritten)
            self._unwritten = b""

    def close(self) -> None:
        """When what is being written is there."""
        if self._writing is not None:
            self._writing.join()
            self._writing = None


def _digest(*parts: bytes) -> "blake2b":
    found = blake2b(digest_size=HASH_BYTES)
    for part in parts:
        found.update(part)
    return found


def _write_through(path: Path, content: bytes, at: int = 0) -> None:
    """From there to its end, on the disk when it returns."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    try:
        os.truncate(file, at)
        os.lseek(file, at, os.SEEK_SET)
        with os.fdopen(os.dup(file), "wb") as writer:
            writer.write(content)
        os.fsync(file)
    finally:
        os.close(file)
