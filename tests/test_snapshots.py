"""Snapshots of a live session: with one and the facts after it a restart stands where all facts lead, and decides the same."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from sptrader_desktop.core import facts
from sptrader_desktop.core.facts import Fact
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.risk_tree import NodeLimits
from sptrader_desktop.present.live_feeds import LiveFeeds
from sptrader_desktop.runtime.live.fact_text import read_fact
from sptrader_desktop.runtime.live.journal_check import Checked, check_journal
from sptrader_desktop.runtime.live.replay import Replay, UnkeptJournal, new_account
from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.live.snapshots import SnapshotStore
from sptrader_desktop.runtime.snapshot_files import FORMAT, SnapshotFiles
from tests.markets import random_case
from tests.parity import job_of
from tests.simulated_disk import SimulatedDisk, SimulatedJournal
from tests.simulated_snapshots import SimulatedSnapshots, everything, first_unlike


class Market:
    """Facts as a market brought them, and accounts that have lived through none of them."""

    def __init__(self, seed: int, most: int = 1 << 60) -> None:
        case = random_case(seed)
        self._job, self.symbols = job_of(case), tuple(candles.symbol for candles in (*case.candles, *case.rates))
        journal, chance = SimulatedJournal(SimulatedDisk()), random.Random(seed)
        Replay(self._job, self.symbols, journal).run()
        lived = Session(self.account(), UnkeptJournal())
        self.facts: list[Fact] = [facts.SessionBegan(1, "replay", "", "", self.symbols, "1h")]
        for entry in islice(journal.read(), most):
            found = [read_fact(entry.kind, entry.body)]
            if chance.random() < 0.1:
                found.append(self._other(lived.account, chance))
            for fact in found:
                lived.take(fact)
            self.facts += found

    def _other(self, account: LiveAccount, chance: random.Random) -> Fact:
        """What no replay brings: after some of it this market's transactions no longer fit, and nothing is entered any more."""
        count, unknown = len(self.facts), account.lives.unknown()
        held = [str(number) for number in account.book.state.positions["number"][: account.book.account["positions"][0]]]
        match chance.randrange(9):
            case 1 if unknown:
                return facts.RequestUnsettled(account.at, chance.choice(unknown))
            case 2:
                what = chance.choice(("pause", "resume", "rearm", "flatten"))
                return facts.Commanded(account.at, what, "a person", chance.choice(("", self.symbols[0])))
            case 3 if held:
                return facts.Commanded(account.at, "close", "a person", chance.choice(held))
            case 4:
                return facts.Commanded(account.at, "cancel", "a person", next((name for name, _ in account.lives.going()), ""))
            case 5:
                return facts.LimitsSet(
                    account.at, (NodeLimits("*", drawdown=10**11, orders_a_minute=2), NodeLimits(self.symbols[0], positions=1))
                )
            case 6:
                return facts.BrokerMet(account.at, "paper", "USD", chance.random() < 0.7)
            case _:
                return facts.SignalJudged(2, f"s{count}", "0-1", chance.choice(("taken", "stale")), "a", "b")

    def account(self) -> LiveAccount:
        return new_account(self._job, "replay", self.symbols, latches=True, history=False)


class Life:
    """One process: what it knows, and the snapshots of the disk that it stands on."""

    def __init__(self, market: Market, disk: SimulatedDisk, store: SnapshotStore, apart: int) -> None:
        account = market.account()
        self.feeds = LiveFeeds(account, [CATALOGUE[symbol] for symbol in market.symbols])
        self.session = Session(account, SimulatedJournal(disk), self.feeds.hear, store, self.feeds, apart)

    def live(self, found: Sequence[Fact], chance: random.Random) -> list[object]:
        """What it asks for."""
        asked: list[object] = []
        for fact in found:
            self.session.take(fact)
            if chance.random() < 0.5:
                asked += self.session.commit()
                self.session.tidy(is_quiet=True)
        return asked + self.session.commit()

    @property
    def all(self) -> dict[str, str]:
        return everything(self.session, self.feeds)


@pytest.mark.parametrize("seed", range(5))
def test_a_snapshot_and_the_facts_after_it_come_to_what_all_facts_come_to(seed: int) -> None:
    market, chance = Market(seed, 500), random.Random(seed)
    for apart in (2, 11, 200):
        disk, store, cut = SimulatedDisk(), SimulatedSnapshots(), chance.randint(1, len(market.facts))
        Life(market, disk, store, apart).live(market.facts[:cut], chance)
        disk.crash()
        again, plain = Life(market, disk, store, apart), Life(market, SimulatedDisk(), SimulatedSnapshots(), 1 << 60)
        covered = store.kept[-1].seq if store.kept else 0
        assert again.session.recover() == cut - covered
        plain.live(market.facts[:cut], chance)
        assert first_unlike(again.all, plain.all) is None
        rest = market.facts[cut:]
        assert again.live(rest, random.Random(1)) == plain.live(rest, random.Random(1))
        assert first_unlike(again.all, plain.all) is None


# As files


class Kept:
    """A life that left two snapshots, and lived on."""

    def __init__(self, folder: Path) -> None:
        self.market, self.disk, self.journal = Market(3, 500), SimulatedDisk(), folder / "journal.sqlite3"
        self.files = [folder / f"journal.{name}" for name in ("snapshot-1", "snapshot-2")]
        life = Life(self.market, self.disk, self.store(), 150)
        for first in range(0, len(self.market.facts), 80):
            life.live(self.market.facts[first : first + 80], random.Random(first))
            self.last.close()
        self.all = life.all
        self.count = len(self.market.facts)

    def store(self, rules: str = "these") -> SnapshotFiles:
        self.last = SnapshotFiles(self.journal, rules)
        return self.last

    def again(self, rules: str = "these", apart: int = 1 << 60) -> tuple[int, tuple[str, ...]]:
        """How many facts were applied, and what was refused; in the end all is as it was."""
        self.disk.crash()
        life = Life(self.market, self.disk, self.store(rules), apart)
        applied = life.session.recover()
        self.last.close()
        assert first_unlike(life.all, self.all) is None
        return applied, tuple(self.last.refused)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("live"))


def test_a_restart_applies_only_what_the_newest_snapshot_does_not_cover(kept: Kept) -> None:
    assert kept.again() == (kept.again()[0], ())
    assert kept.again()[0] < 300 < kept.count


def test_any_flipped_bit_is_found_and_an_older_snapshot_or_all_facts_come_to_the_same(kept: Kept) -> None:
    chance, newest = random.Random(5), kept.again()[0]
    for path in kept.files:
        content = path.read_bytes()
        for _ in range(6):
            spoilt, at = bytearray(content), chance.randrange(8 * len(content))
            spoilt[at // 8] ^= 1 << at % 8
            path.write_bytes(spoilt)
            applied, refused = kept.again()
            assert len(refused) >= 1
            assert applied >= newest
        path.write_bytes(content)
    assert kept.again() == (newest, ())


def test_missing_shortened_and_exchanged_files_are_not_believed(kept: Kept) -> None:
    whole, newest = {path: path.read_bytes() for path in kept.files}, kept.again()[0]
    first, second = kept.files
    both = {first: whole[second], second: whole[first]}
    for change, least in (
        ({first: whole[first][:-1], second: whole[second][:-1]}, kept.count),
        ({first: None, second: None}, kept.count),
        ({first: b"", second: b"\n"}, kept.count),
        (both, newest),
    ):
        for path, content in change.items():
            path.unlink()
            if content is not None:
                path.write_bytes(content)
        assert kept.again()[0] >= least
        for path, content in whole.items():
            path.write_bytes(content)


def test_what_a_newer_or_older_program_or_other_rules_left_is_told_and_left_aside(kept: Kept) -> None:
    applied, refused = kept.again("others")
    assert applied == kept.count
    assert all("by the rules of another version" in each for each in refused)
    assert len(refused) == 2
    contents = [path.read_bytes() for path in kept.files[:2]]
    for other, words in ((FORMAT + 1, "a newer"), (FORMAT - 1, "an older")):
        for path, content in zip(kept.files, contents, strict=False):
            path.write_bytes(content.replace(f"snapshot {FORMAT} ".encode(), f"snapshot {other} ".encode(), 1))
        applied, refused = kept.again()
        assert applied == kept.count
        assert all(f"by {words} sptrader" in each for each in refused)
        assert len(refused) == 2
    for path, content in zip(kept.files, contents, strict=False):
        path.write_bytes(content)


def test_snapshots_of_another_journal_are_not_believed(kept: Kept) -> None:
    right, kept.disk = kept.disk, SimulatedDisk()
    Life(kept.market, kept.disk, SimulatedSnapshots(), 1 << 60).live([*kept.market.facts[:1], *kept.market.facts], random.Random(9))
    kept.disk.crash()
    life = Life(kept.market, kept.disk, kept.store(), 1 << 60)
    assert life.session.recover() == kept.count + 1
    assert any("of another journal" in why for why in kept.last.refused)
    kept.disk = right


@pytest.mark.parametrize("spoilt", [(0,), (1,), (0, 1)])
def test_after_a_refusal_snapshots_are_kept_and_used_again(tmp_path: Path, spoilt: Sequence[int]) -> None:
    kept = Kept(tmp_path)
    for each in spoilt:
        content = bytearray(kept.files[each].read_bytes())
        content[len(content) // 2] ^= 1
        kept.files[each].write_bytes(content)
    for _ in range(3):  # each restart ends with a snapshot of its own
        kept.again(apart=1)
        more = [facts.SignalJudged(3, f"more {kept.count}", "0-2", "taken")]
        kept.disk.crash()
        life = Life(kept.market, kept.disk, kept.store(), 1)
        assert life.session.recover() == 0
        life.live(more, random.Random(1))
        kept.all, kept.count = life.all, kept.count + 1
        kept.last.close()
    assert kept.again() in {(0, ()), (1, ())}


def test_all_facts_are_applied_once_more_and_a_snapshot_that_says_something_else_is_named() -> None:
    market, disk, store = Market(2, 200), SimulatedDisk(), SimulatedSnapshots()
    Life(market, disk, store, 70).live(market.facts, random.Random(4))
    disk.crash()
    journal = SimulatedJournal(disk)

    def new_life() -> tuple[Session, object]:
        account = market.account()
        feeds = LiveFeeds(account, [CATALOGUE[symbol] for symbol in market.symbols])
        return Session(account, journal, feeds.hear), feeds

    older, newer = store.kept
    assert check_journal(journal, [newer, older], new_life) == Checked(len(market.facts), (older.seq, newer.seq), ())
    another = replace(newer, present=older.present)
    assert check_journal(journal, [another, older], new_life) == Checked(len(market.facts), (older.seq,), (newer.seq,))
