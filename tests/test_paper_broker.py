"""The paper broker as a process: what it told is on the disk, nothing is done twice, and garbage is answered with one sentence."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from sptrader_desktop.adapters import paper_broker_process
from sptrader_desktop.adapters.broker_lines import Fault, Price, line_of
from sptrader_desktop.adapters.json_paper_terms import read_terms, terms_in, terms_text, write_terms
from sptrader_desktop.adapters.paper_broker_process import places_in, use_paper_broker
from sptrader_desktop.adapters.price_messages import STREAM
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.adapters.sqlite_paper_ledger import PaperLedger
from sptrader_desktop.core.broker_messages import Cancel, Close, Ping, Place, Pong, Refused, Request, Transaction, Welcome, What
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.money import FRACTION_ONE
from sptrader_desktop.core.terms import Terms
from sptrader_desktop.runtime.live.paper_prices import Frictions
from sptrader_desktop.runtime.live.paper_state import state_of
from sptrader_desktop.runtime.live.paper_terms import PaperTerms, SymbolExits, open_broker
from sptrader_desktop.settings import load_settings
from tests.paper_client import Client, PaperProcess, paper_process
from tests.servers import lives
from tests.test_paper_prices import ASKED, MONDAY, SECOND, STOPS, Books, place

TICK = iter(range(10**9))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperProcess]:
    """One process for all tests that leave it as healthy as they found it."""
    with paper_process(tmp_path_factory.mktemp("paper"), replace(ASKED, exits={})) as process:
        yield process


@pytest.fixture
def broker(shared: PaperProcess) -> Iterator[Client]:
    """Connected from here on, with nothing open and nothing waiting."""
    with Client(shared.places) as first:
        last = first.hello().n
    with shared.client(since=last) as client:
        client.settle(price())
        yield client
    with shared.client(since=last) as after:
        after.settle(*(Cancel(f"end-{name()}", order.id) for order in after.snapshot().orders))
        after.settle(*(Close(name(), item.position, item.quantity, "signal_exit", False) for item in after.snapshot().positions))
        after.settle(price())
        assert not after.snapshot().positions


def price(raw: int = 110_000, symbol: str = "EURUSD") -> Price:
    return Price(symbol, MONDAY + next(TICK) * SECOND, raw, raw + 10)


def name() -> str:
    return f"id-{next(TICK)}"


# Talking


def test_every_connection_is_told_every_transaction_in_order_from_where_it_asks(shared: PaperProcess, broker: Client) -> None:
    with shared.client() as other:
        broker.settle(place(name()), price(), place(name()), price())
        other.settle()
        assert [item.n for item in other.told] == list(range(1, broker.told[-1].n + 1))
        assert other.told[-len(broker.told) :] == broker.told
    middle = broker.told[2].n
    with shared.client(since=middle) as late:
        assert late.settle() == broker.told[3:]


def test_an_id_that_was_seen_is_answered_again_and_not_carried_out_again(broker: Client) -> None:
    order = place(name())
    first = broker.settle(order, price())
    assert [item.what for item in first] == [What.ACCEPTED, What.FILLED, What.PROTECTED]
    again = broker.settle(order, order)
    assert again == first[:2] * 2
    both = broker.settle(cancel := Cancel(name(), "nothing"), cancel)
    assert both == [both[0]] * 2
    assert len(broker.snapshot().positions) == 1


def test_a_snapshot_is_what_the_transactions_before_it_came_to(broker: Client) -> None:
    wanted = place(name(), kind="limit", level=100_000, quantity=7)
    broker.settle(place("held-" + name(), quantity=5), wanted, price())
    shown = broker.snapshot()
    assert [(item.quantity, item.stop) for item in shown.positions] == [(5, None)]
    assert [(item.id, item.level, item.quantity) for item in shown.orders] == [(wanted.id, 100_000, 7)]
    assert (shown.n, shown.cash) == (broker.told[-1].n, broker.told[-1].cash)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\xff",
        b'{"do":"place"}',
        b'{"do":"hello","account":"paper","since":0}',
        b'{"do":"hello","account":"paper","since":1.5}',
    ],
)
def test_who_says_what_is_not_the_protocol_is_told_and_left(shared: PaperProcess, broker: Client, line: bytes) -> None:
    with shared.client(since=0) as other:
        other.settle()
        other.raw(line + b"\n" + b'{"do":"ping","id":"x"}\n')
        assert isinstance(other.hear(), Refused)
        assert other.hear() is None
    assert broker.settle() == []


def test_a_line_without_end_is_refused_before_it_fills_the_memory(shared: PaperProcess) -> None:
    with Client(shared.places) as other:
        other.raw(b"x" * 70_000)
        assert isinstance(other.hear(), Refused)


def test_nobody_trades_without_a_hello_to_this_account(shared: PaperProcess) -> None:
    for said in (b'{"do":"snapshot","id":"1"}', b'{"do":"hello","account":"other","since":0}'):
        with Client(shared.places) as other:
            other.raw(said + b"\n")
            assert isinstance(other.hear(), Refused)


def test_who_knows_of_more_than_was_told_here_has_other_books_before_him(shared: PaperProcess, broker: Client) -> None:
    last = broker.snapshot().n
    with Client(shared.places) as other:
        other.raw(f'{{"do":"hello","account":"paper","since":{last + 1}}}\n'.encode())
        told = other.hear()
        assert isinstance(told, Welcome)
        assert told.n == last
        assert "never told here" in str(other.hear())
        assert other.hear() is None
    with Client(shared.places) as other:
        assert other.hello(since=last).n == last


def test_who_does_not_read_holds_up_nobody(shared: PaperProcess, broker: Client) -> None:
    with shared.client() as deaf:
        for _ in range(20):
            broker.settle(*(Cancel(name(), "nothing") for _ in range(200)))
        assert deaf.settle()[-1].n == broker.told[-1].n


# The books


def test_books_have_one_keeper_and_one_account(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = PaperLedger(path, "paper", "USD")
    with pytest.raises(DataError, match="another paper broker"):
        PaperLedger(path, "paper", "USD")
    told = [Transaction(n, What.ACCEPTED, f"t-{n}", MONDAY) for n in (1, 2)]
    ledger.commit(told, [("t-1", 1, 1)], state_of(open_broker(ASKED)))
    ledger.close()
    with pytest.raises(DataError, match="books of paper in USD"):
        PaperLedger(path, "paper", "EUR")


def test_books_with_a_hole_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = PaperLedger(path, "paper", "USD")
    ledger.commit([Transaction(n, What.ACCEPTED, f"t-{n}", MONDAY) for n in (1, 2, 3)], [], state_of(open_broker(ASKED)))
    ledger._database.execute("DELETE FROM told WHERE n = 2")
    ledger.close()
    with pytest.raises(DataError, match="missing"):
        PaperLedger(path, "paper", "USD")


def test_on_a_full_disk_nothing_is_told_and_what_was_told_stays(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = PaperLedger(path, "paper", "USD")
    first, *others = [Transaction(n, What.ACCEPTED, f"t-{n}", MONDAY, reason="x" * 4000) for n in range(1, 200)]
    ledger.commit([first], [("t-1", 1, 1)], state_of(open_broker(ASKED)))
    ledger._database.execute("PRAGMA max_page_count = 20")
    with pytest.raises(DataError, match="full"):
        ledger.commit(others, [], state_of(open_broker(ASKED)))
    assert ledger.n == 1
    ledger.close()
    again = PaperLedger(path, "paper", "USD")
    assert (again.n, again.lines_after(0)) == (1, [line_of(first)])
    again.close()


def test_terms_come_back_from_their_file_and_what_it_does_not_know_is_refused(tmp_path: Path) -> None:
    frictions = Frictions(7, 1_000, 5, 6, 7, ("a", "b"), stops_out=False)
    terms = replace(ASKED, rates=(CATALOGUE["GBPUSD"],), frictions=frictions, exits={"EURUSD": STOPS, "USDJPY": SymbolExits()})
    write_terms(tmp_path / "terms.json", terms)
    assert read_terms(tmp_path / "terms.json") == (terms, terms_text(terms))
    for old, new in (('"USDJPY"', "1"), ('"account"', '"acount"'), ('"10000"', "10000.5"), ('"10000"', '"many"'), ("next_open", "never")):
        with pytest.raises(ValueError, match=r"terms|10000\.5"):
            terms_in(terms_text(terms).replace(old, new, 1))
    for wrong in (
        Frictions(latency_us=-1),
        Frictions(partial=2 * FRACTION_ONE),
        Frictions(least=-1),
        Frictions(reject=-1),
        Frictions(reasons=()),
    ):
        with pytest.raises(ValueError, match=r"terms\.frictions"):
            terms_in(terms_text(replace(terms, frictions=wrong)))


# Whatever happens


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=[pytest.mark.campaign, pytest.mark.timeout(3600)])])
def test_killed_at_any_moment_it_forgets_nothing_it_told_and_does_nothing_twice(rounds: int, tmp_path: Path) -> None:
    frictions = Frictions(seed=3, partial=30_000_000, reject=10_000_000)
    process, chance = PaperProcess(tmp_path, replace(ASKED, frictions=frictions)), random.Random(rounds)
    asked: list[Request] = []
    told: dict[int, Transaction] = {}
    with process:
        process.kill()  # the first time with nothing done
        for _ in range(rounds):
            _one_life(process, asked, told, chance)
        process.start()
        with process.client() as client:
            client.settle()
            assert sorted(told) == list(range(1, len(told) + 1))
            assert [told[n] for n in sorted(told)] == client.told[: len(told)]
            client.settle(*asked, price(), price(150_000, "USDJPY"))
            _check_the_books(client, asked)


def _one_life(process: PaperProcess, asked: list[Request], told: dict[int, Transaction], chance: random.Random) -> None:
    process.start()
    client = process.client()
    killer = threading.Timer(chance.uniform(0.0, 0.4), process.kill)
    killer.start()
    try:
        client.settle(*asked[-30:])  # whose answers may have been lost
        while True:
            _ask_something(client, asked, chance)
    except (OSError, AssertionError):
        killer.join()
    client.close()
    for item in client.told:
        assert told.setdefault(item.n, item) == item


def _ask_something(client: Client, asked: list[Request], chance: random.Random) -> None:
    for _ in range(chance.randint(1, 6)):
        number, symbol = len(asked), chance.choice(["EURUSD", "USDJPY"])
        if chance.random() < 0.3:
            asked.append(Close(f"k-{number}", chance.randint(0, 40), 300, "signal_exit", False))
        else:
            asked.append(place(f"k-{number}", symbol, chance.choice([1, -1]), chance.randint(1, 900)))
        client.say(asked[-1])
    moves = [price(110_000 + chance.randint(-400, 400)), price(150_000 + chance.randint(-400, 400), "USDJPY")]
    client.settle(*moves)


def _check_the_books(client: Client, asked: list[Request]) -> None:
    life = {item.n: item for item in client.told}
    books = Books()
    books.take([life[n] for n in sorted(life)])
    shown = client.snapshot()
    assert {item.position: item.quantity for item in shown.positions} == {number: row[2] for number, row in books.held.items()}
    assert shown.cash == books.cash
    answers = Counter(item.id for item in life.values() if item.what in (What.ACCEPTED, What.REJECTED))
    assert answers == {request.id: 1 for request in asked}
    assert books.filled


def test_ended_and_started_again_it_is_as_it_was(tmp_path: Path) -> None:
    with paper_process(tmp_path, ASKED) as process:
        with process.client() as client:
            client.settle(price(), place("a", quantity=50), price(), place("b", kind="limit", level=100_000), place("c"))
            before, told = client.snapshot(), client.told
        assert process.end() == ""
        write_terms(process.places.terms, replace(ASKED, exits={}, instruments=(*ASKED.instruments, CATALOGUE["GBPUSD"])))
        process.start()
        with process.client() as client:
            assert client.snapshot() == before
            assert client.told == told
            assert [item.what for item in client.settle(price(), price(symbol="GBPUSD"))] == [What.FILLED, What.PROTECTED]
            assert (
                use_paper_broker(process.places, replace(ASKED, exits={"GBPUSD": STOPS}, instruments=ASKED.instruments)).n
                == client.told[-1].n
            )
            assert client.settle(place("d", "GBPUSD"))[0].reason == "unknown symbol"


def test_whoever_needs_it_starts_it_and_finds_it_running_later(tmp_path: Path, valkey: RedisServer) -> None:
    """On real prices, by this computer's clock; bitcoin is traded at all hours."""
    places, bitcoin = places_in(tmp_path, load_settings()), CATALOGUE["BTCUSD"]
    terms = PaperTerms("paper", Terms(capital=Decimal(100_000)), (bitcoin,))
    write_terms(places.terms, terms)
    try:
        with ThreadPoolExecutor() as both:  # two at one moment start one
            assert {welcome.n for welcome in both.map(lambda _: use_paper_broker(places, terms), range(2))} == {0}
        while len(started := processes_of(tmp_path)) > 1:  # the one that came second is ending
            time.sleep(0.01)

        def publish(bid: str) -> None:
            valkey.client.xadd(STREAM, {"data": f'{{"BTCUSD": {{"bid": {bid}, "ask": {bid}}}}}'})

        with Client(places) as client:
            client.hello()
            valkey.client.xadd(STREAM, {"data": '{"BTCUSD": {"bid": 1, "ask": 1, "time": "2199-01-01T00:00:00Z"}}'})
            publish("60000.01")
            order = Place("b-0", "BTCUSD", 0, 1, "market", 100, -1, -1, 0, 0)
            while client.settle(order)[0].what is What.REJECTED:  # the first price is on its way
                time.sleep(0.01)
                order = replace(order, id=f"b-{next(TICK)}")
            while not (found := [item for item in client.settle() if item.what is What.FILLED]):
                publish("60000.02")
            (filled,) = found
            assert (filled.id, filled.price) == (order.id, 6_000_002)
            assert use_paper_broker(places, terms).n >= filled.n
            client.say(Price("BTCUSD", MONDAY, 1, 1))
            assert "prices come from elsewhere" in str(client.until(lambda answer: isinstance(answer, Refused)))
        (process,) = started
        process.terminate()
        assert process.wait(20) in (0, None)
        assert all(each.poll() is not None for each in paper_broker_process._STARTED), "each has been waited for"
        assert all("another paper broker" in line for line in places.log.read_text().splitlines())
    finally:
        for process in processes_of(tmp_path):
            process.kill()


def processes_of(folder: Path) -> list[psutil.Process]:
    found = [each for each in psutil.process_iter(["cmdline"]) if str(folder) in (each.info["cmdline"] or [])]
    return [each for each in found if lives(each)]


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    places = places_in(tmp_path, load_settings())
    with pytest.raises(DataError, match="no rate from JPY to EUR"):
        use_paper_broker(places, replace(ASKED, terms=Terms(currency="EUR"), instruments=ASKED.instruments[1:]))


# Faults


def test_an_answer_can_be_dropped_and_is_there_for_who_asks_again(shared: PaperProcess, broker: Client) -> None:
    broker.arm("drop", count=1)
    told = broker.settle(place(name()), price())
    assert [item.what for item in told] == [What.FILLED, What.PROTECTED]
    with shared.client(since=told[0].n - 2) as again:
        assert [item.what for item in again.settle()] == [What.ACCEPTED, What.FILLED, What.PROTECTED]


def test_transactions_can_come_twice(broker: Client) -> None:
    broker.arm("duplicate", count=1)
    first, second, *_ = broker.settle(place(name()), price())
    assert first == second


def test_a_request_can_land_late_and_its_transactions_can_be_held_back(broker: Client) -> None:
    broker.arm("late", count=1, ms=60)
    assert broker.settle(place(name()), Ping("x")) == []
    assert isinstance(broker.until(lambda answer: isinstance(answer, Pong)), Pong)
    assert isinstance(landed := broker.hear(), Transaction)
    assert landed.what is What.ACCEPTED
    began = time.monotonic()
    broker.say(Fault("delay", {"ms": 60}))
    broker.until(lambda answer: isinstance(answer, Pong))
    broker.settle(price())
    assert time.monotonic() - began > 0.05


@pytest.mark.parametrize(("phase", "is_done"), [("before_accept", False), ("after_accept", True), ("mid_fill", True)])
def test_a_connection_can_be_lost_before_and_after_an_order_is_there(
    phase: str, shared: PaperProcess, broker: Client, *, is_done: bool
) -> None:
    last, order = broker.snapshot().n, place(name())
    with shared.client(since=last) as other:
        other.arm("disconnect", phase=phase)
        other.say(order, price())
        assert other.has_ended()
        assert other.told == [] or phase == "mid_fill"
    with shared.client(since=last) as again:
        told = again.settle(price())
        assert bool(told) == is_done
        assert again.settle(order)[0].what is What.ACCEPTED
        assert Counter(item.n for item in again.told if item.what is What.FILLED).keys() <= {last + 2}
        again.settle(price())


def test_a_silent_broker_says_and_does_nothing_until_it_speaks_again(broker: Client) -> None:
    began = time.monotonic()
    broker.arm("hang", ms=80)
    assert [item.what for item in broker.settle(place(name()))] == [What.ACCEPTED]
    assert time.monotonic() - began > 0.05


def test_its_clock_can_be_wrong_and_a_person_can_trade_beside_us(broker: Client) -> None:
    broker.arm("skew", ms=-360_000_000)
    (told,) = broker.settle(place(name()))
    broker.arm("skew", ms=0)
    assert told.at < MONDAY
    broker.settle(price())
    broker.arm("trade", symbol="EURUSD", side=-1, quantity=77)
    (filled, *_) = broker.settle(price())
    assert (filled.what, filled.side, filled.quantity) == (What.FILLED, -1, 77)
    assert filled.id.startswith("manual-")


def test_what_the_rules_do_wrong_is_armed_the_same_way(broker: Client) -> None:
    broker.arm("reject", why="because")
    assert broker.settle(place(name()))[0].reason == "because"
    broker.arm("partial")
    parts = [item.quantity for item in broker.settle(place(name(), quantity=90), price(), price()) if item.what is What.FILLED]
    assert len(parts) == 2
    assert sum(parts) == 90


@pytest.mark.parametrize(
    "fault", [Fault("nonsense", {}), Fault("drop", {}), Fault("disconnect", {"phase": "x"}), Fault("hang", {"ms": "x"})]
)
def test_a_fault_that_is_none_is_refused(shared: PaperProcess, fault: Fault) -> None:
    with shared.client(since=0) as client:
        client.settle()
        client.say(fault)
        assert isinstance(client.hear(), Refused)
