"""What a commit of a journal looks like in bytes, and the chain of hashes that ties it to all before it, whatever it is kept in.

A hash covers its block so far (numbers, entries and hashes of up to 256 commits) and, as the first thing in the block, the last hash of
the block before: as strong as a chain of single commits, and checked a block at a time.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import blake2b
from itertools import chain

from sptrader_desktop.ports import JournalEntry

BLOCK = 256
HASH_BYTES = 16
GENESIS = bytes(HASH_BYTES)
KIND = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
HEADER = re.compile(rb"([a-z][a-z0-9_]*) (0|[1-9][0-9]*)\n")

# The seq of the last entry in digits, the encoded entries, the hash.
Commit = tuple[bytes, bytes, bytes]


def encode(entries: Sequence[tuple[str, bytes]]) -> bytes:
    """Kind, size, body, each entry on lines of its own: people can read it where they can read the bodies."""
    return b"".join([b"%b %d\n%b\n" % (_name(kind), len(body), body) for kind, body in entries])


@cache  # there are as many as there are kinds of facts
def _name(kind: str) -> bytes:
    if not KIND.fullmatch(kind):
        raise ValueError(f"the kind {kind!r}: small letters, digits and _ only")
    return kind.encode()


def decode(last: int, encoded: bytes) -> Iterator[JournalEntry]:
    """ValueError where the bytes are not wholly entries."""
    found: list[tuple[str, bytes]] = []
    at = 0
    while at < len(encoded):
        header = HEADER.match(encoded, at)
        if header is None:
            raise ValueError(f"byte {at} begins no entry")
        end = header.end() + int(header[2])
        if encoded[end : end + 1] != b"\n":
            raise ValueError(f"the entry at byte {at} does not end where it says")
        found.append((header[1].decode(), encoded[header.end() : end]))
        at = end + 1
    return (JournalEntry(seq, kind, body) for seq, (kind, body) in enumerate(found, last - len(found) + 1))


class Chain:
    """Where a chain has come to."""

    def __init__(self) -> None:
        self.hash = GENESIS
        self._begin_block()

    def _begin_block(self) -> None:
        self._running = blake2b(self.hash, digest_size=HASH_BYTES)
        self._commits = 0

    def with_commit(self, last: int, entries: bytes) -> "Chain":
        """This one stays as it is: a commit may fail."""
        grown = Chain.__new__(Chain)
        grown._running = self._running.copy()
        grown._commits = self._commits
        grown._running.update(b"%d" % last)
        grown._running.update(entries)
        grown._close_commits(1)
        return grown

    def _close_commits(self, count: int) -> None:
        self.hash = self._running.digest()
        self._running.update(self.hash)
        self._commits += count
        if self._commits == BLOCK:
            self._begin_block()

    def follow_block(self, commits: Sequence[Commit]) -> int:
        """How many of these commits continue the chain, which has come to the end of a block."""
        if not commits:
            return 0
        *_, (_, _, said) = commits
        trial = self._running.copy()
        trial.update(memoryview(b"".join(chain.from_iterable(commits)))[: -len(said) or None])
        if trial.digest() != said:
            return self._fitting(commits)
        self._running = trial
        self._close_commits(len(commits))
        return len(commits)

    def _fitting(self, commits: Sequence[Commit]) -> int:
        at = self
        for place, (last, entries, said) in enumerate(commits):
            at = at.with_commit(int(last), entries)
            if at.hash != said:
                return place
        return len(commits)
