"""The feed of signals over a real Valkey: in which order it comes, and that whoever meddles with the stream loses nothing unseen."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.adapters.redis_signals import DEAD, GROUP, KEPT_OF_POISON, PAGE, STREAM
from sptrader_desktop.core.sequences import Unjudged
from sptrader_desktop.core.signals import BadSignalError, read_signal, sign
from sptrader_desktop.ports import FeedRecord, SignalRead
from tests.live_feeds import LONG, Session, in_session, pending, put, text_of

# What comes, and in which order


def test_the_group_begins_at_the_end_of_the_stream_the_first_time_and_at_what_was_kept_ever_after(valkey: RedisServer) -> None:
    put(valkey.client, 1, 2)

    async def story(session: Session) -> None:
        put(valkey.client, 3, 4)
        await session.until_has(4)
        await session.feed.close()
        put(valkey.client, 5, 6)
        await session.crash()
        await session.until_has(6)

    session = in_session(valkey, story)
    assert session.numbers == [3, 4, 5, 6]
    assert session.told == []
    assert not any(read.is_stale for read in session.deliveries)
    assert pending(valkey) == 0


def test_our_own_come_first_then_what_another_reader_left_then_what_is_new(valkey: RedisServer) -> None:
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, 1, 2)
        await session.step(acks=False)
        put(client, *range(3, 2 * PAGE))
        assert client.xreadgroup(GROUP, "another", {STREAM: ">"})
        put(client, 2 * PAGE)
        session.position = None  # nothing was kept: the group alone knows
        session.kept.clear()
        await session.crash()
        await session.until_has(2 * PAGE)

    session = in_session(valkey, story, idle_ms=0)
    assert session.numbers == list(range(1, 2 * PAGE + 1))
    assert pending(valkey) == 0


def test_what_was_read_and_never_kept_comes_again(valkey: RedisServer) -> None:
    async def story(session: Session) -> None:
        put(valkey.client, *range(1, 2 * PAGE))
        while not await session.feed.read():  # the process is killed before the journal has it
            pass
        await session.crash()
        await session.until_has(2 * PAGE - 1)

    session = in_session(valkey, story)
    assert session.numbers == list(range(1, 2 * PAGE))
    assert session.told == []
    assert pending(valkey) == 0


def test_a_signal_that_is_sent_twice_or_late_is_handed_out_as_stale(valkey: RedisServer) -> None:
    async def story(session: Session) -> None:
        put(valkey.client, 1, 2, 4, 3, 4, 5)
        await session.until_has(5)

    session = in_session(valkey, story)
    assert [(read.signal.seq, read.is_stale) for read in session.deliveries] == [
        (1, False),
        (2, False),
        (4, False),
        (3, True),
        (4, True),
        (5, False),
    ]
    assert [(each.publisher, each.count) for each in session.losses("gap")] == [("p", 1)]


def test_a_message_without_a_number_says_that_its_loss_could_not_be_seen(valkey: RedisServer) -> None:
    async def story(session: Session) -> None:
        message = json.loads(text_of(1))
        del message["seq"]
        client: Any = valkey.client
        client.xadd(STREAM, {"data": json.dumps(message)})
        put(client, 2)
        await session.until_has(2)

    session = in_session(valkey, story)
    assert [read.loss_is_detectable for read in session.deliveries] == [False, True]


# Poison


def poisons(count: int) -> list[dict[Any, Any]]:
    kinds: list[dict[Any, Any]] = [
        {"data": b"\xff\xfe"},
        {"data": b"[" * 5_000},
        {"data": b"{" + b" " * 70_000 + b"}"},
        {"data": text_of(1).replace(b"1.0", b"NaN")},
        {"other": b"field"},
        {"data": b""},
        {b"\xff": b"\xff"},
        {"data": text_of(1).replace(b'"ma"', b"7")},
    ]
    return [kinds[number % len(kinds)] for number in range(count)]


@pytest.mark.parametrize(("good", "bad"), [(5_000, 500), pytest.param(100_000, 10_000, marks=LONG)], ids=["few", "many"])
def test_poison_among_good_messages_goes_to_the_dead_letters_and_the_good_ones_come(valkey: RedisServer, good: int, bad: int) -> None:
    client: Any = valkey.client
    left = poisons(bad)

    async def story(session: Session) -> None:
        for first in range(1, good + 1, 1_000):
            numbers = range(first, min(first + 1_000, good + 1))
            with client.pipeline(transaction=False) as pipe:
                for seq in numbers:
                    pipe.xadd(STREAM, {"data": text_of(seq)})
                    if left and seq % (good // bad) == 0:
                        pipe.xadd(STREAM, left.pop())
                pipe.execute()
            await session.until_has(numbers[-1])
        await session.until(lambda: len(session.poison) == bad)

    session = in_session(valkey, story)
    assert session.numbers == list(range(1, good + 1))
    assert session.told == session.poison
    dead = client.xrange(DEAD)
    assert [fields[b"id"].decode() for _, fields in dead] == [each.stream_id for each in session.poison][-len(dead) :]
    assert len(dead) >= min(bad, 10_000)
    assert max(len(fields[b"content"]) for _, fields in dead) == KEPT_OF_POISON
    for _, fields in dead[:8]:
        if fields[b"rule"] not in {b"size", b"fields", b"depth"} and b"\xff=" not in fields[b"content"]:
            with pytest.raises(BadSignalError) as refusal:
                read_signal({b"data": fields[b"content"]})
            assert refusal.value.rule.encode() == fields[b"rule"]
    assert pending(valkey) == 0
    assert client.xlen(STREAM) == good + sum(rule != "size" for rule in (each.rule for each in session.poison))


def test_where_only_signed_messages_count_the_others_are_poison(valkey: RedisServer) -> None:
    client: Any = valkey.client
    key = b"k" * 32

    async def story(session: Session) -> None:
        put(client, 1)
        client.xadd(STREAM, {"data": text_of(2), "signature": sign(key, text_of(2))})
        client.xadd(STREAM, {"data": text_of(3), "signature": sign(key, text_of(2))})
        client.xadd(STREAM, {"data": text_of(4, "q"), "signature": sign(key, text_of(4, "q"))})
        await session.until(lambda: len(session.poison) == 3)

    session = in_session(valkey, story, key_of={"p": key}.get, only_signed=True)
    assert session.numbers == [2]
    assert [each.rule for each in session.poison] == ["unsigned", "forged", "stranger"]


# Meddling


def test_a_stream_that_is_flushed_in_traffic_is_read_from_its_beginning_and_what_was_lost_is_counted(valkey: RedisServer) -> None:
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, *range(1, 11))
        await session.until_has(10)
        put(client, *range(11, 18))  # these nobody reads
        client.flushall()
        put(client, *range(18, 31))
        await session.until_has(30)
        client.delete(STREAM)
        await session.step()
        put(client, *range(31, 41))
        await session.until_has(40)

    session = in_session(valkey, story)
    assert session.numbers == [*range(1, 11), *range(18, 41)]
    assert len(session.losses("emptied")) == 2
    assert [(each.publisher, each.count) for each in session.losses("gap")] == [("p", 7)]


def test_a_stream_that_begins_again_with_earlier_names_is_read(valkey: RedisServer) -> None:
    """As after a server's clock was set back."""
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, 1, 2)
        await session.until_has(2)
        client.flushall()
        put(client, 3, 4, id="1000-*")
        await session.until_has(4)

    assert in_session(valkey, story).numbers == [1, 2, 3, 4]


def test_a_stream_that_is_removed_while_its_group_is_made_is_read_from_its_beginning(valkey: RedisServer) -> None:
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, 1, 2)
        await session.until_has(2)
        client.xgroup_destroy(STREAM, GROUP)
        await session.feed.close()
        await session.crash()
        link = session.feed._link
        asked = link.together

        async def together(*commands: Any) -> Any:
            if commands[0][:2] == ("XGROUP", "CREATE"):
                client.delete(STREAM)
            return await asked(*commands)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(link, "together", together)
            await session.step()
        put(client, 3, id="1000-*")
        await session.until_has(3)

    assert in_session(valkey, story).numbers == [1, 2, 3]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_was_read_and_not_judged_comes_again_after_a_restart_or_is_told_as_lost(valkey: RedisServer, is_there: bool) -> None:
    client: Any = valkey.client
    unjudged = Unjudged()

    async def story(session: Session) -> None:
        put(client, 1, 2)
        await session.until_has(2)
        place = session.position
        put(client, 3, 4, 5)
        while len(session.kept) < 5:
            await session.step(acks=False)
        session.position = place  # the session kept their numbers, and has judged the second of them
        unjudged.read("p", 2, 5)
        unjudged.judged("p", 4)
        session.deliveries.clear()
        if not is_there:
            client.flushall()
        session.options["unjudged"] = unjudged
        await session.crash()
        put(client, 6)
        await session.until_has(6)
        await session.until(lambda: is_there or bool(session.losses("gap")))

    session = in_session(valkey, story)
    again = [(read.signal.seq, read.is_stale) for read in session.deliveries]
    assert again == ([(3, False), (4, True), (5, False), (6, False)] if is_there else [(6, False)])
    assert [each.text.partition(": ")[2].partition(" are")[0] for each in session.losses("gap")] == (
        [] if is_there else ["of p the messages 3 to 3", "of p the messages 5 to 5"]
    )


@pytest.mark.parametrize("is_named_alike", [True, False])
def test_another_stream_whose_names_begin_before_ours_and_end_after_them_is_read_whole(valkey: RedisServer, is_named_alike: bool) -> None:
    """As after a clock was set back and right again while nobody read."""
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, 1, 2, id="2000-*")
        await session.until_has(2)
        client.flushall()
        put(client, 3, 4, id="2000-*" if is_named_alike else "1000-*")
        put(client, 5, 6)
        await session.until_has(6)

    session = in_session(valkey, story)
    assert session.numbers == [1, 2, 3, 4, 5, 6]
    assert len(session.losses("emptied")) == 1
    assert pending(valkey) == 0


def test_a_server_that_went_back_is_read_on_from_where_its_group_stands(valkey: RedisServer) -> None:
    """And what came since is not passed over, whoever dies then and whatever becomes of the group."""
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, 1)
        await session.until_has(1)
        before = client.dump(STREAM)
        put(client, 2, 3)
        await session.until_has(3)
        client.restore(STREAM, 0, before, replace=True)
        put(client, 4)
        await session.crash()
        await session.step()
        assert session.losses("forgotten")
        client.xgroup_destroy(STREAM, GROUP)
        await session.crash()
        put(client, 5)
        await session.until_has(5)

    assert in_session(valkey, story).numbers == [1, 2, 3, 4, 5]


def test_a_message_that_has_the_name_of_one_that_its_server_forgot_is_handed_out_and_acknowledged_for_itself(valkey: RedisServer) -> None:
    client: Any = valkey.client

    async def handed(session: Session) -> Sequence[FeedRecord]:
        while not (records := [each for each in await session.feed.read() if isinstance(each, SignalRead)]):
            pass
        session.keep(records)
        return records

    async def story(session: Session) -> None:
        before = client.dump(STREAM)
        put(client, 1, id="2000-1")
        first = await handed(session)
        client.restore(STREAM, 0, before, replace=True)
        put(client, 2, id="2000-1")
        second = await handed(session)
        await session.ack(first)
        assert pending(valkey) == 1
        await session.ack(second)
        assert pending(valkey) == 0

    assert in_session(valkey, story).numbers == [1, 2]


@pytest.mark.parametrize(
    "how", ["destroyed", "destroyed and made anew at the end", "moved to the end", "read by somebody", "kept by somebody"]
)
def test_a_group_that_is_meddled_with_loses_nothing_and_is_told(valkey: RedisServer, how: str) -> None:
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, *range(1, 6))
        await session.until_has(3)
        put(client, *range(6, 10))
        if how.startswith("destroyed"):
            client.xgroup_destroy(STREAM, GROUP)
        if how.endswith("anew at the end"):
            client.xgroup_create(STREAM, GROUP, "$")
        elif how == "moved to the end":
            client.xgroup_setid(STREAM, GROUP, "$")
        elif how.endswith("by somebody"):
            client.xreadgroup(GROUP, "somebody", {STREAM: ">"}, noack=how.startswith("read"))
        put(client, 10, 11)
        await session.until_has(11)

    session = in_session(valkey, story, idle_ms=0)
    assert session.numbers == list(range(1, 12))
    assert not any(read.is_stale for read in session.deliveries)
    assert session.told == session.alarms("group")
    assert len(session.told) == 1


@pytest.mark.parametrize("is_away", [False, True], ids=["while it reads", "while it is away"])
def test_what_is_trimmed_or_deleted_unread_is_counted_exactly(valkey: RedisServer, is_away: bool) -> None:
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, *range(1, 8))
        await session.until_has(7)
        put(client, *range(8, 58))
        client.xdel(STREAM, client.xrevrange(STREAM, count=1)[0][0])
        client.xtrim(STREAM, maxlen=10, approximate=False)
        if is_away:
            await session.crash()
        put(client, 58)
        await session.until_has(58)

    session = in_session(valkey, story)
    assert session.numbers == [*range(1, 8), *range(47, 57), 58]
    assert session.lost("trimmed") == 40
    assert session.lost("gap") == 40


@pytest.mark.parametrize("is_known", [False, True], ids=["without a position", "with one"])
def test_what_vanished_in_the_hands_of_another_reader_is_counted_once(valkey: RedisServer, is_known: bool) -> None:
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, 1, 2)
        await session.until_has(2)
        put(client, *range(3, 9))
        client.xreadgroup(GROUP, "another", {STREAM: ">"})
        client.xtrim(STREAM, maxlen=2, approximate=False)
        if not is_known:
            session.position = None
        await session.crash()
        await session.until_has(8)
        put(client, 9)
        await session.until_has(9)

    session = in_session(valkey, story, idle_ms=0)
    assert session.numbers == [1, 2, 7, 8, 9]
    assert session.lost("trimmed") == session.lost("gap") == 4


def test_an_entry_that_vanished_before_it_was_kept_is_told_and_no_longer_waited_for(valkey: RedisServer) -> None:
    client: Any = valkey.client

    async def story(session: Session) -> None:
        put(client, 1, 2)
        await session.feed.read()
        client.xtrim(STREAM, maxlen=1, approximate=False)
        await session.crash()
        await session.until_has(2)
        await session.step()

    session = in_session(valkey, story)
    assert (session.numbers, session.lost("trimmed")) == ([2], 1)
    assert pending(valkey) == 0


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=LONG) for seed in range(3, 200))])
def test_whatever_happens_in_whatever_order_each_signal_comes_or_is_counted_as_missing(valkey: RedisServer, seed: int) -> None:
    chance, client = random.Random(seed), valkey.client
    next_number = 1

    def publish() -> None:
        nonlocal next_number
        count = chance.randint(1, 30)
        put(client, *range(next_number, next_number + count))
        next_number += count

    async def interrupted(session: Session) -> None:
        reading = asyncio.create_task(session.feed.read())
        await asyncio.sleep(chance.random() * 0.003)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            session.keep(await reading)

    async def story(session: Session) -> None:
        untyped: Any = client
        publish()
        await session.until_has(1)
        for _ in range(40):
            happens = chance.choice(["publish"] * 4 + "read read read crash cancel cancel flush destroy trim end unacked".split())
            if happens == "publish":
                publish()
            elif happens == "read":
                await session.step()
            elif happens == "unacked":
                await session.step(acks=False)
            elif happens == "crash":
                await session.crash()
            elif happens == "cancel":
                await interrupted(session)
            elif happens == "flush":
                client.flushall()
            elif happens == "destroy":
                untyped.xgroup_destroy(STREAM, GROUP) if client.exists(STREAM) else None
            elif happens == "trim":
                untyped.xtrim(STREAM, maxlen=chance.randint(1, 30), approximate=False)
            elif client.exists(STREAM):
                untyped.xgroup_destroy(STREAM, GROUP)
                untyped.xgroup_create(STREAM, GROUP, "$")
        publish()
        await session.until_has(next_number - 1)

    session = in_session(valkey, story)
    came = {*session.numbers}
    assert came <= set(range(1, next_number))
    assert session.lost("gap") == next_number - 1 - len({number for number in came if number <= next_number}) + late(session)


def late(session: Session) -> int:
    """Signals that came after they had been counted as missing, which happens where what was read was not kept."""
    return sum(read.is_stale and is_first for read, is_first in first_times(session))


def first_times(session: Session) -> Iterator[tuple[SignalRead, bool]]:
    seen: set[str] = set()
    for read in session.deliveries:
        yield read, read.signal.id not in seen
        seen.add(read.signal.id)
