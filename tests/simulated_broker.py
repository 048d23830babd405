"""The paper broker, the guardian before it and the lines between them in virtual time: their own logic, with everything a network does."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from sptrader_desktop.adapters.broker_lines import asked_in, line_of
from sptrader_desktop.adapters.guarded_broker import GuardedLine
from sptrader_desktop.core.broker_messages import Asked, AskSnapshot, Hello, Ping, Pong, Request, Transaction, Welcome
from sptrader_desktop.core.errors import MachineError
from sptrader_desktop.guardian.guard import Guard
from sptrader_desktop.guardian.latch import Account, Latch
from sptrader_desktop.guardian.lines import Message, parsed, written
from sptrader_desktop.guardian.pipe import Pipe
from sptrader_desktop.guardian.sweep import Terms
from sptrader_desktop.runtime.live.paper_state import put_back, snapshot_of, state_of
from sptrader_desktop.runtime.live.paper_terms import PaperTerms, open_broker
from tests.simulated_ledger import Ledger
from tests.virtual_time import Process, VirtualLoop

ACCOUNT = "sim"


class Network(Protocol):
    """What the seed has in store for a line."""

    def lag(self) -> float: ...
    def lands(self) -> float | None:
        """Seconds until what was under way on a broken line to the broker lands; None: never."""
        ...

    def repeats(self) -> int:
        """How many transactions before `since` a broker tells again."""
        ...

    def is_skipped(self) -> bool:
        """Whether a transaction is missing on a line, which then breaks."""
        ...

    def is_told_again(self) -> bool: ...
    def is_swapped(self) -> bool:
        """Whether a transaction comes behind the next one."""
        ...


class Channel:
    """One way of a connection: in order, each after a while of its own."""

    def __init__(self, loop: VirtualLoop, lag: Callable[[], float], deliver: Callable[[Any], object]) -> None:
        self._loop, self._lag, self._deliver = loop, lag, deliver
        self._under_way: deque[tuple[asyncio.TimerHandle, Any]] = deque()
        self._last = 0.0
        self.is_open = True

    def put(self, item: Any) -> None:
        if self.is_open:
            self._last = max(self._last + 1e-6, self._loop.time() + self._lag())
            self._under_way.append((self._loop.call_at(self._last, self._land), item))

    def _land(self) -> None:
        self._deliver(self._under_way.popleft()[1])

    def stall(self, seconds: float) -> None:
        """What is put in from now on comes later."""
        self._last = max(self._last, self._loop.time()) + seconds

    def cut(self) -> list[Any]:
        """What was under way."""
        self.is_open = False
        lost = [item for _, item in self._under_way]
        for handle, _ in self._under_way:
            handle.cancel()
        self._under_way.clear()
        return lost


class Peer:
    """One connection of the broker's. `say` brings a line to whoever is at the other end, `ended` tells that it is over."""

    def __init__(
        self, broker: "SimulatedBroker", loop: VirtualLoop, net: Network, say: Callable[[bytes], None], ended: Callable[[], None]
    ) -> None:
        self._broker, self._loop, self._net, self._ended = broker, loop, net, ended
        self.up, self.down = Channel(loop, net.lag, self._heard), Channel(loop, net.lag, say)
        self.has_greeted, self.told = False, 0
        broker.peers.append(self)

    @property
    def is_open(self) -> bool:
        return self.up.is_open

    def _heard(self, line: bytes) -> None:
        message = asked_in(line)
        assert isinstance(message, Asked)
        self._broker.heard(self, message)

    def answer(self, message: Any) -> None:
        self.down.put(line_of(message))

    def greet(self, since: int) -> None:
        self.has_greeted, self.told = True, max(0, since - self._net.repeats())

    def pump(self) -> None:
        told = self._broker.told
        while self.has_greeted and self.is_open and self.told < len(told):
            done = told[self.told]
            self.told += 1
            if self.told < len(told) and self._net.is_skipped():
                self._loop.later(0.6, self.cut)
                continue
            if self.told < len(told) and self._net.is_swapped():
                self.answer(told[self.told])
            self.answer(done)
            if self._net.is_told_again():
                self.answer(done)

    def cut(self) -> None:
        """Answers are lost; what was asked may land all the same, later."""
        if not self.is_open:
            return
        self._broker.peers.remove(self)
        self.down.cut()
        for line in self.up.cut():
            seconds = self._net.lands()
            if seconds is not None:
                self._loop.later(seconds, self._heard, line)
        self._ended()


class SimulatedBroker:
    """`told` and `asked` are its durable books. `came` hears of each request that reaches it."""

    def __init__(self, terms: PaperTerms, ledger: Ledger, now: Callable[[], int], came: Callable[[Request], None]) -> None:
        self._terms, self.ledger, self._now, self._came = terms, ledger, now, came
        self.paper = open_broker(terms)
        self.told: list[Transaction] = []
        self.asked: dict[str, list[int]] = {}
        self.peers: list[Peer] = []
        self.is_up, self.is_silent = True, False
        self.environment = "paper"
        self._unheard: list[tuple[Peer, Asked]] = []

    def speak(self) -> None:
        """What came while it was silent is done now."""
        self.is_silent = False
        unheard, self._unheard = self._unheard, []
        for peer, message in unheard:
            self.heard(peer, message)
        for peer in list(self.peers):
            peer.pump()

    def price(self, symbol: str, at: int, raw: int, ask: int) -> None:
        if self.is_up:
            self._note(self.paper.price(symbol, at, raw, ask, self._now()))

    def heard(self, peer: Peer, message: Asked) -> None:
        if not self.is_up:
            return
        if self.is_silent:
            self._unheard.append((peer, message))
            return
        match message:
            case Hello():
                peer.answer(Welcome(message.account, self.environment, "USD", self.paper.n, self.paper.holds_stops))
                peer.greet(message.since)
            case AskSnapshot():
                peer.pump()
                peer.answer(snapshot_of(self.paper, message.id))
            case Ping():
                peer.pump()
                peer.answer(Pong(self.paper.n))
            case _:
                self.carry_out(message)
        peer.pump()

    def held(self) -> list[tuple[int, int]]:
        """Number and quantity of each position."""
        return [(position.position, position.quantity) for position in snapshot_of(self.paper, "").positions]

    def carry_out(self, request: Request) -> None:
        self._came(request)
        if request.id not in self.asked:
            first = self.paper.n + 1
            self._note(self.paper.ask(request, self._now()))
            self.asked[request.id] = list(range(first, self.paper.n + 1))

    def _note(self, found: list[Transaction]) -> None:
        for done in found:
            self.ledger.take(done)
            self.told.append(done)
        if found and not self.is_silent:
            for peer in list(self.peers):
                peer.pump()

    def die(self) -> None:
        self.is_up = False
        for peer in list(self.peers):
            peer.cut()

    def live(self) -> None:
        """From its books."""
        if self.is_up:
            return
        kept = json.loads(json.dumps(state_of(self.paper)))
        self.paper = open_broker(self._terms)
        put_back(self.paper, kept)
        self.is_up = True


class SimulatedGuardian:
    """The outside of a real `Guard`, and the bridge between core and broker, a real `Pipe`. `left` sees what leaves to the broker."""

    def __init__(self, broker: SimulatedBroker, loop: VirtualLoop, net: Network, left: Callable[[bytes, bool], None]) -> None:
        self._broker, self._loop, self._net, self._left = broker, loop, net, left
        self._latch: Latch | None = None
        self._account: Account | None = None
        self._lives = 0
        self.bridge: Bridge | None = None
        self._own: Peer | None = None
        self._begin()

    def _begin(self) -> None:
        self._lives += 1
        terms = Terms(silence=1.0, poll=0.2, quarantine=3.0, unknown=3.0)
        self.guard = Guard(terms, self, str(self._lives), self._latch, self._account)

    def die(self) -> None:
        """And another takes its place."""
        for line in (self.bridge, self._own):
            if line is not None:
                line.cut()
        self._begin()

    def tick(self) -> None:
        self.guard.tick(self._loop.time(), 0)
        if self._own is None and self.guard.account is not None and self._broker.is_up:
            self._own = Peer(self._broker, self._loop, self._net, self._own_heard, self._own_ended)
            self.guard.broker_connected()

    def control(self, **message: Any) -> Message:
        return self.guard.control(message, self._loop.time(), 0)

    def _own_heard(self, line: bytes) -> None:
        self.guard.broker_line(parsed(line), self._loop.time())

    def _own_ended(self) -> None:
        self._own = None
        self.guard.broker_lost()

    # The outside of the guard

    def keep(self, latch: Latch | None) -> str:
        self._latch = latch
        return ""

    def remember(self, account: Account) -> None:
        self._account = account

    def to_broker(self, message: Message) -> None:
        if self._own is not None:
            self._own.up.put(written(message))

    def to_core(self, message: Message) -> None:
        if self.bridge is not None:
            self.bridge.say(written(message))

    def mark(self) -> None:
        if self.bridge is not None:
            self.bridge.pipe.mark()
            self.bridge.pump()

    def is_drained(self) -> bool:
        return self.bridge is None or self.bridge.pipe.is_drained

    def refused(self) -> int:
        return 0

    # The core's line

    def connect(self, process: Process) -> "CoreLine":
        if self.bridge is not None or not (self._broker.is_up and process.is_alive):
            raise MachineError("there is no way to the broker now")
        line = CoreLine(process)
        self.bridge = line.bridge = Bridge(self, line)
        return line

    def bridge_of(self, line: "CoreLine") -> Peer:
        def heard(said: bytes) -> None:
            assert line.bridge is not None
            line.bridge.heard(said)

        return Peer(self._broker, self._loop, self._net, heard, line.end)

    def left(self, line: bytes, *, is_order: bool) -> None:
        self._left(line, is_order)

    def gone(self) -> None:
        self.bridge = None
        self.guard.core_gone()

    def hello(self, message: Message) -> None:
        self.guard.core_hello(message, self._loop.time())


class Bridge:
    def __init__(self, guardian: SimulatedGuardian, line: "CoreLine") -> None:
        self.guardian, self._line = guardian, line
        self.pipe = Pipe(guardian.guard.gate)
        self._peer = guardian.bridge_of(line)

    def from_core(self, said: bytes) -> None:
        hello = self.pipe.from_core(said)
        if hello is not None:
            self.guardian.hello(hello)
        self.pump()

    def heard(self, said: bytes) -> None:
        passed = self.pipe.from_broker(said)
        if passed is not None:
            self.say(passed)

    def say(self, said: bytes) -> None:
        self._line.arrive(said)

    def pump(self) -> None:
        while (taken := self.pipe.take()) is not None:
            line, is_order = taken
            self.guardian.left(line, is_order=is_order)
            self._peer.up.put(line)
        while self.pipe.refusals:
            self.say(self.pipe.refusals.popleft())

    def cut(self) -> None:
        self._peer.cut()
        self._line.end()

    def end_of_core(self) -> None:
        self._line.end()


class CoreLine:
    """The core's end, as `guardian_link.OrderLine` is."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._lines: deque[bytes] = deque()
        self._came = asyncio.Event()
        self._is_over = False
        self.bridge: Bridge | None = None

    def arrive(self, line: bytes) -> None:
        if not self._is_over:
            self._lines.append(line)
            self._came.set()

    def end(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._came.set()
        if self.bridge is not None:
            bridge, guardian = self.bridge, self.bridge.guardian
            if guardian.bridge is bridge:
                guardian.gone()
            bridge.cut()

    def send(self, message: Message) -> bool:
        if self._is_over or not self._process.is_alive:
            return False
        assert self.bridge is not None
        self.bridge.from_core(written(message))
        return True

    async def received(self) -> AsyncIterator[Message]:
        """What came before the end is read before it."""
        while True:
            while self._lines:
                yield parsed(self._lines.popleft())
            if self._is_over:
                return
            self._came.clear()
            await self._came.wait()

    def cut(self) -> None:
        self.end()


class SimulatedSide:
    """The guarded broker as the core has it; what the line says goes through the real adapter."""

    def __init__(self, guardian: SimulatedGuardian, process: Process, told: Callable[[str], None]) -> None:
        self._guardian, self._process, self._told = guardian, process, told

    async def open(self, account: str, since: int) -> GuardedLine:
        await asyncio.sleep(0)
        line = self._guardian.connect(self._process)
        assert line.send({"do": "hello", "account": account, "since": since})
        own: Any = line
        return GuardedLine(own, lambda is_open, why: self._told(f"gate {is_open} {why}"), self._told)
