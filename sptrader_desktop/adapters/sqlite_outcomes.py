"""Where in a journal the outcome of a signal stands: an index beside the commits and written with them, which only says where to look.

What of it a damaged disk changed is seen by its sums, and then it is made again from the commits.
"""

import sqlite3
from collections.abc import Iterable, Sequence

from sptrader_desktop.runtime.journal_chain import decode
from sptrader_desktop.runtime.journal_names import name_in, names_in, number_of, sums

SCHEMA = (
    """CREATE TABLE outcomes (
    name INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (name, last)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE outcome_sums (
    names INTEGER NOT NULL,
    high INTEGER NOT NULL,
    low INTEGER NOT NULL,
    lasts INTEGER NOT NULL
) STRICT""",
)
BEGIN = f"{'; '.join(SCHEMA)}; INSERT INTO outcome_sums VALUES (0, 0, 0, 0)"
_FOUND = "SELECT count(*), ifnull(sum(name >> 32), 0), ifnull(sum(name & 4294967295), 0), ifnull(sum(last), 0) FROM outcomes"
_ADD = "UPDATE outcome_sums SET names = names + ?, high = high + ?, low = low + ?, lasts = lasts + ?"


class SqliteOutcomes:
    """Within transactions that somebody else begins and ends."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, last: int, names: Sequence[str]) -> None:
        """Those of the commit that ends with this entry."""
        numbers = {number_of(name) for name in names}
        self._database.executemany("INSERT INTO outcomes VALUES (?, ?)", [(number, last) for number in numbers])
        self._database.execute(_ADD, sums(numbers, last))

    def knows(self, name: str) -> bool:
        """ValueError where a commit is not what it was."""
        found = "SELECT last, entries FROM outcomes JOIN commits USING (last) WHERE name = ?"
        rows = self._database.execute(found, (number_of(name),)).fetchall()
        return any(name_in(entry.kind, entry.body) == name for last, entries in rows for entry in decode(last, entries))

    @property
    def are_whole(self) -> bool:
        return self._database.execute(_FOUND).fetchall() == self._database.execute("SELECT * FROM outcome_sums").fetchall()

    def make_again(self, commits: Iterable[tuple[int, bytes]]) -> None:
        self._database.execute("DELETE FROM outcomes")
        self._database.execute("DELETE FROM outcome_sums")
        self._database.execute("INSERT INTO outcome_sums VALUES (0, 0, 0, 0)")
        for last, entries in commits:
            names = names_in([(entry.kind, entry.body) for entry in decode(last, entries)])
            if names:
                self.add(last, names)
