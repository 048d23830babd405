"""Snapshots as files beside their journal: two that take turns, each whole or not at all."""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from sptrader_desktop.runtime.live.snapshots import Snapshot

log = logging.getLogger("sptrader.live")
FORMAT = 2
WORDS = "sptrader snapshot"
HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Found:
    """What a file says of itself."""

    place: int
    seq: int
    head: bytes
    present: bytes


class _RefusedError(ValueError):
    """Why, as the end of a sentence."""


class SnapshotFiles:
    """`journal` is the path of the journal; `rules` a hash of what makes a state out of facts."""

    def __init__(self, journal: Path, rules: str) -> None:
        self._places = tuple(journal.with_suffix(f".snapshot-{number}") for number in (1, 2))
        self._past, self._rules = journal.with_suffix(".past"), rules  # on which those of format 1 rested
        self.refused: list[str] = []
        self._found: dict[int, _Found] = {}
        self._turn = 0
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
            yield Snapshot(known.seq, known.head, known.present)

    def _read(self, place: int, content: bytes) -> _Found:
        line, _, present = content.partition(b"\n")
        said, _, check = line.rpartition(b" ")
        format_of = re.match(rb"%b (\d{1,9}) " % WORDS.encode(), said)
        if format_of and int(format_of[1]) != FORMAT:
            by = "a newer" if int(format_of[1]) > FORMAT else "an older"
            raise _RefusedError(f"was written by {by} sptrader (format {int(format_of[1])}, this one knows {FORMAT})")
        try:
            *_, rules, seq, head = said.decode("ascii").split(" ")
            found = _Found(place, int(seq), bytes.fromhex(head), present)
        except ValueError:
            raise _RefusedError("is damaged") from None
        if _digest(said, present) != check:
            raise _RefusedError("is damaged")
        if rules != self._rules:
            raise _RefusedError("was made by the rules of another version")
        return found

    # Writing

    def begin(self, base: Snapshot | None) -> None:
        known = next((each for each in self._found.values() if base is not None and each.seq == base.seq), None)
        self._turn = 1 - known.place if known else 0
        self._found.clear()

    @property
    def is_busy(self) -> bool:
        return self._writing is not None and self._writing.is_alive()

    def keep(self, seq: int, head: bytes, written: Callable[[], bytes]) -> None:
        """On a thread of its own; whoever is asked again too early waits."""
        self.close()
        if not self._is_over:
            self._writing = threading.Thread(target=self._write, args=(seq, head, written), name="snapshot")
            self._writing.start()

    def _write(self, seq: int, head: bytes, written: Callable[[], bytes]) -> None:
        """The one before stays good until this one is there."""
        try:
            present = written()
        except (TypeError, ValueError) as error:
            self._is_over = True
            log.warning("there are no more snapshots (%s): a restart applies all facts since the last", error)
            return
        said = f"{WORDS} {FORMAT} {self._rules} {seq} {head.hex()}".encode()
        place = self._places[self._turn]
        begun = place.with_name(f"{place.name}.tmp")
        try:
            _write_through(begun, said + b" " + _digest(said, present) + b"\n" + present)
            begun.replace(place)
            self._past.unlink(missing_ok=True)
            self._turn = 1 - self._turn
        except OSError as error:
            log.warning("no snapshot could be kept (%s): the next one is tried", error.strerror)

    def close(self) -> None:
        """When what is being written is there."""
        if self._writing is not None:
            self._writing.join()
            self._writing = None


def _digest(*parts: bytes) -> bytes:
    found = blake2b(digest_size=HASH_BYTES)
    for part in parts:
        found.update(part)
    return found.hexdigest().encode()


def _write_through(path: Path, content: bytes) -> None:
    """On the disk when it returns."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(file, "wb") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(file)
