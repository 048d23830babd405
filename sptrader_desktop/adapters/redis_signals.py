"""Signals from the stream `signals:live`, each handed out until it is acknowledged, and whatever is lost on the way noticed and counted.

What was handed out before and not acknowledged comes first, then what another reader of the group left, then what is new. The group is
nobody's but ours: where it is gone or was moved it is set back to what we know, never to the stream's end.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from redis.exceptions import OutOfMemoryError, RedisError, ResponseError

from sptrader_desktop.adapters.price_messages import entry_order
from sptrader_desktop.adapters.redis_link import Command, RedisLink, info_of, pairs_of
from sptrader_desktop.adapters.redis_safety import FULL, WELL, fault_in, fullness
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.sequences import Gap, Sequences, Unjudged
from sptrader_desktop.core.signals import ENVELOPES, BadSignalError, read_signal
from sptrader_desktop.ports import FeedAlarm, FeedPosition, FeedRecord, FeedStatus, LossSeen, PoisonRead, SignalRead

STREAM, DEAD, GROUP = "signals:live", "signals:dead", "orchestrator_group"
PAGE = 200
WAIT_MS = 250
MOST_HANDED = 10_000  # not yet acknowledged: whoever reads has to keep up
CLAIM_EVERY_S, CHECK_EVERY_S = 15.0, 5.0
KEPT_OF_POISON, DEAD_KEPT = 4_096, 10_000
BEGINNING = "0-0"

_Entry = tuple[str, Mapping[bytes, bytes] | None]  # None where its content is gone


@dataclass(slots=True)
class _Handed:
    content: str
    poison: PoisonRead | None = None


class RedisSignalFeed:
    """`since` is the position kept last, `sequences` the last number of each publisher, `unjudged` what was read further than `since`:
    it comes again, and is neither late nor missed. `only_signed`: by a key that `key_of` knows.

    What another reader of the group has left for `idle_ms` is taken over.
    """

    def __init__(
        self,
        server: RedisServer,
        *,
        since: FeedPosition | None = None,
        sequences: Mapping[str, int] | None = None,
        unjudged: Unjudged | None = None,
        key_of: Callable[[str], bytes | None] | None = None,
        only_signed: bool = False,
        consumer: str = "core",
        idle_ms: int = 60_000,
        name: str = "sptrader-live",
    ) -> None:
        self._shown, self._link, self._bell = server.shown, RedisLink(server, name), RedisLink(server, name)
        self._position, self._sequences, self._key_of = since, Sequences(sequences or {}), key_of
        self._consumer, self._idle_ms, self._only_signed = consumer, idle_ms, only_signed
        self._given, self._unjudged = since, deepcopy(unjudged) if unjudged and unjudged.spans() else None
        self._handed: dict[str, _Handed] = {}
        self._due: dict[str, None] = {}  # to be acknowledged, in order
        self._replaced: Counter[str] = Counter()  # of how many that are gone and not done with yet a later message has the name
        self._acking = asyncio.Lock()
        self._told: list[FeedRecord] = []  # what is to be handed out besides entries
        self._is_open, self._is_full, self._fault = False, False, ""
        self._is_unheard = False  # what was handed to us may be on its way: without its answer it is ours, and to be read as such
        self._own: str | None = BEGINNING  # so far our own entries were read again; None: all
        self._own_end: str | None = None  # where the group was set back to: what comes after it is read as new, in its order
        self._claimed: str | None = BEGINNING
        self._claim_at = self._check_at = 0.0

    @property
    def status(self) -> FeedStatus:
        return self._link.status

    @property
    def position(self) -> FeedPosition | None:
        """It stays where it was until all that was read and not judged was read again, or told as lost."""
        return self._given

    @property
    def sequences(self) -> Mapping[str, int]:
        return self._sequences.last

    @property
    def read_to(self) -> str:
        return "" if self._position is None else self._position.stream_id

    async def read(self) -> Sequence[FeedRecord]:
        try:
            page = await self._page()
        except RedisError as error:
            page, self._is_open = [], False
            if isinstance(error, OutOfMemoryError):
                self._alarm_full(str(error))
            if not _is_gone(error):
                await self._link.rest(error)
        told, self._told = self._told, []
        self._given = self._position if self._unjudged is None else self._given
        return [*told, *(record for entry in page for record in self._records(entry))]

    def believe_only_signed(self) -> None:
        self._only_signed = True

    async def ack(self, stream_ids: Collection[str]) -> None:
        self._due |= dict.fromkeys(name for name in stream_ids if not self._is_of_another(name))
        try:
            await self._acknowledge()
        except RedisError:
            self._is_open = False  # the next reading finds out why, and acknowledges

    async def close(self) -> None:
        await self._link.close()
        await self._bell.close()

    # Pages of entries

    async def _page(self) -> list[_Entry]:
        if self._is_unheard or not self._is_open:
            await self._open()
        await self._acknowledge()
        if time.monotonic() > self._check_at:
            await self._check()
        if len(self._handed) >= MOST_HANDED:
            await asyncio.sleep(WAIT_MS / 1_000)
            return []
        if self._own is not None:
            return await self._own_page(self._own)
        if self._claimed is None and time.monotonic() > self._claim_at:
            self._claimed = BEGINNING
        if self._claimed is not None:
            return await self._claimed_page(self._claimed)
        return await self._new_page()

    async def _own_page(self, after: str) -> list[_Entry]:
        page = _entries(await self._link.one(*self._reading(), "STREAMS", STREAM, after))
        self._own = page[-1][0] if page else None
        page = self._before_the_new(page)
        self._advance(page)
        return page

    async def _claimed_page(self, after: str) -> list[_Entry]:
        command = ("XAUTOCLAIM", STREAM, GROUP, self._consumer, self._idle_ms, after, "COUNT", PAGE)
        self._is_unheard = True
        cursor, found, gone = await self._link.one(*command)
        self._is_unheard = False
        self._claimed = None if cursor == BEGINNING.encode() else cursor.decode()
        self._claim_at = time.monotonic() + CLAIM_EVERY_S
        lost = len(self._before_the_new([(name.decode(), None) for name in gone]))
        if lost:
            self._told.append(LossSeen("trimmed", lost, f"{STREAM}: {lost} messages that another reader had left were thrown away"))
        return self._before_the_new([_entry(each) for each in found])

    def _before_the_new(self, page: list[_Entry]) -> list[_Entry]:
        end = self._own_end
        return page if end is None else [entry for entry in page if entry_order(entry[0]) <= entry_order(end)]

    async def _new_page(self) -> list[_Entry]:
        """What there is as soon as there is something, with the stream's own account of itself at the same instant. To wait takes nothing
        from the stream: an interruption loses nothing."""
        known = self._position
        assert known is not None, "it was opened"
        bell: Command = ("XREAD", "COUNT", 1, "BLOCK", WAIT_MS, "STREAMS", STREAM, known.stream_id)
        read: Command = (*self._reading(), "STREAMS", STREAM, ">")
        self._is_unheard = True
        groups, answer, stream = await self._bell.together(("XINFO", "GROUPS", STREAM), read, ("XINFO", "STREAM", STREAM), after=bell)
        if isinstance(answer, ResponseError):
            raise answer
        before = _group_in(groups)
        assert before is not None, "it was read from"
        if entry_order(before["last-delivered-id"]) > entry_order(known.stream_id):
            return []  # somebody moved it: opening it again sets it back, and what was read just now is read in its turn
        self._is_unheard = False
        page = _entries(answer)
        self._count(page, pairs_of(stream))
        return page

    def _reading(self) -> Command:
        return "XREADGROUP", "GROUP", GROUP, self._consumer, "COUNT", PAGE

    def _count(self, page: Sequence[_Entry], stream: Mapping[str, Any]) -> None:
        """Where everything has been read, the stream has taken as many as we have: what is missing was thrown away unread."""
        self._advance(page)
        assert self._position is not None, "it was opened"
        last, counted, content = self._position
        if self._unjudged and not page:
            self._tell_unjudged(self._unjudged)
            self._unjudged = None
        if len(page) == PAGE:
            return
        taken = int(stream["entries-added"])
        if counted is not None and taken > counted:
            text = f"{STREAM}: {taken - counted} messages were thrown away before they were read: let it hold more of them"
            self._told.append(LossSeen("trimmed", taken - counted, text))
        elif counted is not None and taken < counted:
            self._told.append(self._forgotten(counted - taken))
        self._position = FeedPosition(last, taken, content)

    def _advance(self, page: Sequence[_Entry]) -> None:
        assert self._position is not None, "it was opened"
        last, counted, _ = self._position
        fresh = [(name, fields) for name, fields in page if entry_order(name) > entry_order(last)]
        if fresh:
            name, fields = fresh[-1]
            self._position = FeedPosition(name, None if counted is None else counted + len(fresh), _digest(fields))

    # The group

    async def _open(self) -> None:
        """Nothing that may be lost is passed over: of two places to begin at it is the earlier."""
        stream, groups = await self._link.ask(("XINFO", "STREAM", STREAM), ("XINFO", "GROUPS", STREAM))
        if isinstance(stream, ResponseError) and "no such key" not in str(stream):
            raise stream
        about = None if isinstance(stream, ResponseError) else pairs_of(stream)
        group, self._own_end = None if about is None else _group_in(groups), None
        if group is None:
            await self._make_group(about)
        elif self._position is None:
            self._position = FeedPosition(group["last-delivered-id"].decode())
        else:
            assert about is not None, "it has a group"
            await self._set_back(self._position, about, group)
        self._own = self._claimed = BEGINNING
        self._is_open, self._is_unheard = True, False

    async def _make_group(self, about: Mapping[str, Any] | None) -> None:
        known = self._position
        begins_anew = known is not None and (about is None or _is_behind(about, known) or await self._never_had(about, known))
        at = "$" if known is None else BEGINNING if begins_anew else known.stream_id
        made, stream, groups = await self._link.together(
            ("XGROUP", "CREATE", STREAM, GROUP, at, "MKSTREAM"), ("XINFO", "STREAM", STREAM), ("XINFO", "GROUPS", STREAM)
        )
        if isinstance(made, ResponseError):
            raise made
        if known is not None and not begins_anew and _is_behind(pairs_of(stream), known):  # it was removed just before
            await self._link.one("XGROUP", "SETID", STREAM, GROUP, BEGINNING)
            begins_anew = True
        if begins_anew:
            self._begin_anew()
        elif known is None:
            group = _group_in(groups)
            assert group is not None, "it was made just now"
            self._position = FeedPosition(group["last-delivered-id"].decode(), int(pairs_of(stream)["entries-added"]))
        else:
            self._told.append(FeedAlarm("group", f"{STREAM}: the group {GROUP} was gone and was made again from {at} on"))

    async def _set_back(self, known: FeedPosition, about: Mapping[str, Any], group: Mapping[str, Any]) -> None:
        if _is_behind(about, known):
            if _is_after(about, known):
                self._begin_anew()
                await self._link.one("XGROUP", "SETID", STREAM, GROUP, BEGINNING)
                return
            lost = None if known.entries is None else known.entries - int(about["entries-added"])
            self._told.append(self._forgotten(lost if lost and lost > 0 else None))
            known = self._position = FeedPosition(min(known.stream_id, group["last-delivered-id"].decode(), key=entry_order))
        if entry_order(group["last-delivered-id"]) > entry_order(known.stream_id) and not await self._is_ours(known, group):
            text = f"{STREAM}: somebody read as the group {GROUP} or moved it; it is read from {known.stream_id} on: let nobody else use it"
            self._told.append(FeedAlarm("group", text))
            await self._link.one("XGROUP", "SETID", STREAM, GROUP, known.stream_id)
            self._own_end = known.stream_id

    async def _is_ours(self, known: FeedPosition, group: Mapping[str, Any]) -> bool:
        """Whether all that the group is ahead of us was handed to us, and we never came to keep it."""
        span = ("(" + known.stream_id, group["last-delivered-id"])
        entries, pending = await self._link.together(
            ("XRANGE", STREAM, *span, "COUNT", MOST_HANDED), ("XPENDING", STREAM, GROUP, *span, MOST_HANDED, self._consumer)
        )
        return len(entries) < MOST_HANDED and {name for name, _ in entries} <= {row[0] for row in pending}

    async def _never_had(self, about: Mapping[str, Any], known: FeedPosition) -> bool:
        """Whether it lacks what we read last, and nobody deleted it, or has something else of that name: after a clock was set back another
        stream begins before the old one ended."""
        if not known.content or _is_after(about, known):
            return False
        found = [_entry(each) for each in await self._link.one("XRANGE", STREAM, known.stream_id, known.stream_id)]
        if not found:
            return entry_order(about.get("max-deleted-entry-id", BEGINNING)) < entry_order(known.stream_id)
        return _digest(found[0][1]) != known.content

    def _begin_anew(self) -> None:
        """Another stream in the place of ours."""
        self._told.append(LossSeen("emptied", None, f"{STREAM} was removed with all that it held: it is read from its beginning"))
        self._position, self._own_end = FeedPosition(BEGINNING, 0), BEGINNING

    def _tell_unjudged(self, unjudged: Unjudged) -> None:
        """Their numbers are known, and so nobody would miss them."""
        for gap in unjudged.spans():
            text = f"{STREAM}: {_named(gap)} are missing: the session ended before it judged them, and they are in the stream no more"
            self._told.append(LossSeen("gap", gap.missing, text, gap.publisher))

    def _forgotten(self, count: int | None) -> LossSeen:
        told = "messages" if count is None else f"{count} messages"
        text = f"{STREAM}: the server has forgotten {told} that it had handed out; what came with them unread may be lost too"
        return LossSeen("forgotten", count, text)

    # Entries

    def _records(self, entry: _Entry) -> list[FeedRecord]:
        name, fields = entry
        content = _digest(fields)
        before = self._handed.get(name)
        if before is not None:
            if fields is None or content == before.content:
                return []
            self._replace(name)
        self._handed[name] = handed = _Handed(content)
        if fields is None:
            text = f"{STREAM}: message {name} was thrown away before what became of it was kept"
            return [LossSeen("trimmed", 1, text, stream_id=name)]
        try:
            signal = read_signal(fields, (self._key_of or _no_key) if self._only_signed else None)
        except BadSignalError as error:
            handed.poison = PoisonRead(name, error.rule, str(error), _content(fields))
            return [handed.poison]
        if self._unjudged and self._unjudged.holds(signal):
            self._unjudged.judged(signal.publisher or "", signal.seq or 0)
            return [SignalRead(name, signal, is_stale=False)]
        is_stale, gap = self._sequences.is_stale(signal), self._sequences.seen(signal)
        read = SignalRead(name, signal, is_stale)
        if gap is None:
            return [read]
        return [LossSeen("gap", gap.missing, f"{STREAM}: {_named(gap)} are missing", gap.publisher), read]

    def _replace(self, name: str) -> None:
        """A server that went back gave the name again. Who has the one that is gone and says so later speaks of that one."""
        if name in self._due:
            del self._due[name]
        else:
            self._replaced[name] += 1

    def _is_of_another(self, name: str) -> bool:
        if name not in self._replaced:
            return False
        self._replaced -= Counter((name,))
        return True

    async def _acknowledge(self) -> None:
        """What is no signal goes to the dead letters in the same step."""
        async with self._acking:
            while self._due:
                names = list(self._due)[:PAGE]
                poison = [each for name in names if (each := self._poison(name)) is not None]
                try:
                    await self._link.together(*(_burial(each) for each in poison), *_removals(poison), ("XACK", STREAM, GROUP, *names))
                except OutOfMemoryError as error:
                    self._alarm_full(str(error))
                    names = [name for name in self._due if self._poison(name) is None]
                    if not names:
                        return
                    await self._link.one("XACK", STREAM, GROUP, *names)
                for name in names:
                    del self._due[name]
                    self._handed.pop(name, None)

    def _poison(self, name: str) -> PoisonRead | None:
        handed = self._handed.get(name)
        return None if handed is None else handed.poison

    # The server

    async def _check(self) -> None:
        self._check_at = time.monotonic() + CHECK_EVERY_S
        info = info_of(await self._link.one("INFO"))
        fault, full = fault_in(info), fullness(info)
        if fault and fault != self._fault:
            self._told.append(FeedAlarm("policy", f"Redis at {self._shown}: {fault}"))
        self._fault = fault
        if full >= FULL:
            self._alarm_full(f"its memory is filled to {full:.0%}")
        elif full < WELL:
            self._is_full = False

    def _alarm_full(self, why: str) -> None:
        if not self._is_full:
            self._is_full = True
            text = f"Redis at {self._shown} takes no more signals, or soon will not ({why}): make room or raise maxmemory"
            self._told.append(FeedAlarm("memory", text))


def _named(gap: Gap) -> str:
    return f"of {gap.publisher or 'a publisher without a name'} the messages {gap.first} to {gap.last}"


def _no_key(_publisher: str) -> None:
    return None


def _group_in(answer: Any) -> dict[str, Any] | None:
    groups = [] if isinstance(answer, ResponseError) else [pairs_of(each) for each in answer]
    return next((group for group in groups if group["name"] == GROUP.encode()), None)


def _is_gone(error: RedisError) -> bool:
    return "NOGROUP" in str(error) or "no such key" in str(error)


def _is_behind(about: Mapping[str, Any], known: FeedPosition) -> bool:
    """It has taken fewer than we know of, gave other names, or never had what we know of: it is not the stream that it was."""
    if entry_order(about["last-generated-id"]) < entry_order(known.stream_id):
        return True
    taken, gone = int(about["entries-added"]), int(about["entries-added"]) - int(about["length"])
    return known.entries is not None and (taken < known.entries or (_is_after(about, known) and gone < known.entries))


def _is_after(about: Mapping[str, Any], known: FeedPosition) -> bool:
    """All that it holds is new to us."""
    first = about["first-entry"]
    return first is None or entry_order(first[0]) > entry_order(known.stream_id)


def _entries(answer: Any) -> list[_Entry]:
    return [_entry(each) for each in answer[0][1]] if answer else []


def _entry(raw: Any) -> _Entry:
    name, fields = raw
    return name.decode(), None if fields is None else dict(zip(fields[::2], fields[1::2], strict=True))


def _digest(fields: Mapping[bytes, bytes] | None) -> str:
    return "" if fields is None else blake2b(repr(sorted(fields.items())).encode(), digest_size=6).hexdigest()


def _content(fields: Mapping[bytes, bytes]) -> bytes:
    found = next((fields[name] for name in ENVELOPES if name in fields), None)
    return (b" ".join(name + b"=" + value for name, value in fields.items()) if found is None else found)[:KEPT_OF_POISON]


def _burial(poison: PoisonRead) -> Command:
    told = ("id", poison.stream_id, "rule", poison.rule, "reason", poison.reason, "content", poison.content)
    return ("XADD", DEAD, "MAXLEN", "~", DEAD_KEPT, "*", *told)


def _removals(poison: Sequence[PoisonRead]) -> list[Command]:
    """Longer than any message: the stream need not carry it about."""
    return [("XDEL", STREAM, each.stream_id) for each in poison if each.rule == "size"]
