"""Redis going wrong in every way it can, under a live session of real processes: nothing is lost silently and nothing traded twice."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.live_load import TIMEFRAME, Load, account_of, check_nothing_is_doubled, loaded_session, settle
from tests.live_process import LiveSession, end_detached
from tests.live_trouble import Trouble, lost, unknown, untold

GOOD, POISONED, A_MINUTE = 100_000, 10_000, 24_000


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSession]:
    monkeypatch.setenv("SPTRADER_LIVE", str(tmp_path / "live"))
    monkeypatch.setenv("SPTRADER_SERVERS", str(tmp_path / "servers"))
    live = loaded_session(tmp_path)
    try:
        yield live
    finally:
        live.end()
        live.publisher.close()
        end_detached(tmp_path)


def survived(session: LiveSession, a_minute: int, count: int, troubles: Sequence[str], poison: int) -> None:
    """`troubles` come one after the other while `count` signals are published."""
    trouble, load = Trouble(session), Load()
    load.price()
    load.run(a_minute, 8)
    pause = count / (a_minute / 60) / (len(troubles) + 1)

    def bring() -> None:
        for name in troubles:
            time.sleep(pause)
            getattr(trouble, name)()
            trouble.poison(poison // len(troubles))

    bringing = threading.Thread(target=bring)
    bringing.start()
    load.run(a_minute, count)
    bringing.join()
    load.run(6_000, 80)  # whoever follows shows what is missing before it
    settle(session, load)
    load.close()
    session.end()
    account = account_of(session, load)
    check_nothing_is_doubled(account)
    assert lost(load, account)
    assert untold(session, load, account) == []
    assert len(unknown(load, account)) <= load.doubtful
    poisoned = sum(name.startswith("poison ") for name in account.outcomes)
    assert poisoned > poison // 2
    assert len(account.orders) > count // 50


def test_whatever_redis_does_nothing_is_lost_silently_or_traded_twice(session: LiveSession) -> None:
    session.start(timeframe=TIMEFRAME)
    survived(session, 3_000, 200, ("trim", "delete_group", "empty", "kill_valkey"), poison=100)


@pytest.mark.campaign
@pytest.mark.timeout(3_600)
def test_poison_among_a_hundred_thousand_signals_while_redis_goes_wrong(session: LiveSession) -> None:
    """`SPTRADER_SIGNALS` makes it shorter."""
    session.start(timeframe=TIMEFRAME)
    good = int(os.environ.get("SPTRADER_SIGNALS") or GOOD)
    troubles = ("kill_valkey", "stop_valkey", "empty", "fill", "delete_group", "trim", "kill_valkey", "empty", "stop_core", "kill_guardian")
    survived(session, A_MINUTE, good, troubles, POISONED * good // GOOD)
