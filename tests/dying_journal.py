"""A program that writes a journal until it is killed, and says each seq that it was answered.

Run as `python dying_journal.py PATH [WAY…]`. A broken journal ends it as it is to end the real one.
Ways: `unsynced` asks SQLite not to sync, `limited` has no room for more than 200 KB, `few` are 30 commits.
"""

import os
import sys
from itertools import count
from pathlib import Path

from sptrader_desktop.adapters import sqlite_journal
from sptrader_desktop.core.errors import JournalBroken
from tests.journals import RESERVE, batch

BROKEN = 70
LIMIT = 200_000
FEW = 30


def write(path: Path) -> None:
    sqlite_journal.QUIET_BYTES = 20_000
    journal = sqlite_journal.SqliteJournal(path, reserve=RESERVE)
    for _ in range(FEW) if "few" in sys.argv else count():
        try:
            last = journal.append(batch(journal.head[0]))
        except JournalBroken:
            os._exit(BROKEN)
        os.write(1, b"%d\n" % last)
        if last % 3 == 0:
            journal.tidy()


if __name__ == "__main__":
    if "unsynced" in sys.argv:
        sqlite_journal.PRAGMAS = tuple(("synchronous", "OFF", 0) if rule[0] == "synchronous" else rule for rule in sqlite_journal.PRAGMAS)
    if "limited" in sys.argv:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
    write(Path(sys.argv[1]))
