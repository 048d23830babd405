"""Every trade of a live account, from its whole journal: what is over the session itself forgets."""

import numpy as np

from sptrader_desktop.core import facts
from sptrader_desktop.core.broker_messages import What
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.tables import Table
from sptrader_desktop.ports import Journal
from sptrader_desktop.runtime.live.session import Session


def trade_history(account: LiveAccount, journal: Journal) -> Table:
    """`account` as it began, and one that keeps its history. The times are those at which the broker filled, not those of bars."""
    opened, times = dict[int, int](), list[tuple[int, int]]()
    book = account.book

    def hear(fact: facts.Fact) -> None:
        if not isinstance(fact, facts.TransactionSeen):
            return
        done = fact.transaction
        if done.what is What.FILLED:
            opened[done.position] = done.at
        new = book.log.trades[len(times) : book.account["trades"][0]]
        times.extend((opened.get(done.position, entered), done.at) for entered in new["entry_time"].tolist())

    Session(account, journal, hear).follow(0)
    rows: Table = book.log.trades[: len(times)].copy()
    rows["entry_time"], rows["exit_time"] = np.array(times, np.int64).reshape(-1, 2).T
    return rows
