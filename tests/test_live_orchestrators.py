"""Services and orchestrators live legal lives, say so in the document's words, and are restarted, halted and stopped as they should."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live import service as services
from sptrader_desktop.runtime.live import symbol_orchestrator as orchestrators
from sptrader_desktop.runtime.live.clock import Clock, SystemClock, ended, within
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import ServiceError, TradeExecuted
from sptrader_desktop.runtime.live.multi_symbol_orchestrator import status_line
from sptrader_desktop.runtime.live.parts import PauseReason
from sptrader_desktop.runtime.live.service import ServiceState
from sptrader_desktop.runtime.live.services_config import OrchestratorConfig
from sptrader_desktop.runtime.live.symbol_orchestrator import OrchestratorState
from tests.live_session import FakeService, HandClock, Heard, played, settled
from tests.live_symbols import NAMES, Session, state, symbol

# What the document prints


def test_health_is_what_the_document_prints() -> None:
    async def story() -> None:
        session = Session("BTCUSD", "XAUUSD")
        await session.all.start()
        await session.clock.turn(3600.0)
        symbols = session.all.orchestrators
        assert symbols["XAUUSD"].services[0].get_status() == {
            "service_name": "DataFetchingService",
            "symbol": "XAUUSD",
            "state": "running",
            "is_healthy": True,
            "error_count": 0,
            "uptime": 3600.0,
        }
        health = symbols["XAUUSD"].check_health()
        assert health == {
            "symbol": "XAUUSD",
            "state": "running",
            "is_healthy": True,
            "healthy_services": 4,
            "total_services": 4,
            "services": [service.get_status() for service in symbols["XAUUSD"].services],
            "uptime": 3600.0,
        }
        whole = session.all.check_health()
        assert whole == {
            "state": "running",
            "is_healthy": True,
            "healthy_symbols": 2,
            "total_symbols": 2,
            "symbols": {"BTCUSD": symbols["BTCUSD"].check_health(), "XAUUSD": health},
            "uptime": 3600.0,
            "redis_connected": True,
        }
        for printed, order in (
            (whole, "state is_healthy healthy_symbols total_symbols symbols uptime redis_connected"),
            (health, "symbol state is_healthy healthy_services total_services services uptime"),
            (health["services"][0], "service_name symbol state is_healthy error_count uptime"),
        ):
            assert list(printed) == order.split()
        assert status_line(whole) == "running, 2 of 2 symbols healthy: BTCUSD running 4/4, XAUUSD running 4/4"

    played(story())


def test_the_states_are_those_of_the_document() -> None:
    assert [state.upper() for state in ServiceState] == "CREATED STARTING RUNNING PAUSED ERROR RECOVERING STOPPING STOPPED".split()
    assert [state.upper() for state in OrchestratorState] == "INITIALIZING RUNNING PAUSED STOPPED ERROR RECOVERING".split()
    assert services.LEGAL_MOVES.keys() == set(ServiceState)
    assert orchestrators.LEGAL_MOVES.keys() == set(OrchestratorState)


# Any life is a legal one


class Lives(RuleBasedStateMachine):
    """Anything may be asked of a symbol and anything may fail, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = HandClock()
        self.restarts: list[float] = []
        self.loop.run_until_complete(self._make())

    async def _make(self) -> None:
        self.orchestrator, self.services = symbol(self.clock)
        self.heard = Heard(self.orchestrator.bus)

    def _do(self, work: Any) -> Any:
        async def done() -> Any:
            task = asyncio.ensure_future(work)
            found = await self.clock.until(task)
            await settled()
            return found

        return self.loop.run_until_complete(done())

    @rule()
    def start(self) -> None:
        self._do(self.orchestrator.start())

    @rule()
    def stop(self) -> None:
        left = self._do(self.orchestrator.stop())
        assert set(left) == {service.name for service in self.services if service.state is ServiceState.STOPPING}
        assert self.orchestrator.state is OrchestratorState.STOPPED

    @rule()
    def restart(self) -> None:
        self._do(self.orchestrator.restart())

    @rule(reason=st.sampled_from(PauseReason))
    def pause(self, reason: PauseReason) -> None:
        self.orchestrator.pause(reason)

    @rule(reason=st.sampled_from(PauseReason))
    def resume(self, reason: PauseReason) -> None:
        assert reason not in self.orchestrator.resume(reason)

    @rule(at=st.integers(0, 3))
    def crash(self, at: int) -> None:
        self.services[at].crash.set()
        self._do(self.clock.turn(0))

    @rule(at=st.integers(0, 3), times=st.integers(1, 9))
    def refuse(self, at: int, times: int) -> None:
        self.services[at].refuses = [ValueError("not now")] * times

    @rule(at=st.integers(0, 3), to_open=st.booleans(), to_end=st.booleans())
    def hang(self, at: int, to_open: bool, to_end: bool) -> None:
        self.services[at].hangs_to_open, self.services[at].hangs_to_end = to_open, to_end

    @rule(seconds=st.sampled_from([0.0, 1.0, 20.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self._do(self.clock.turn(seconds))

    @rule()
    def look(self) -> None:
        self._do(self.orchestrator.mend())

    @rule()
    def rest(self) -> None:
        """In the end everything runs, or a person is needed."""
        self._do(self.clock.turn(150.0))
        assert self.orchestrator.state is not OrchestratorState.RECOVERING
        if self.orchestrator.state in orchestrators.GOING:
            assert {service.state for service in self.services} <= services.ACTIVE

    @invariant()
    def a_symbol_is_what_its_services_are(self) -> None:
        orchestrator, states = self.orchestrator, [service.state for service in self.services]
        if orchestrator.state in orchestrators.GOING:
            wanted = ServiceState.PAUSED if orchestrator.pauses else ServiceState.RUNNING
            assert set(states) <= {wanted, ServiceState.ERROR, ServiceState.RECOVERING}
            assert str(orchestrator.state) == str(wanted)
        if orchestrator.state is OrchestratorState.ERROR:
            assert orchestrator.halt_reason
            assert set(states) <= {ServiceState.STOPPED, ServiceState.STOPPING, ServiceState.CREATED}
        health = orchestrator.check_health()
        assert health["is_healthy"] == (orchestrator.state in orchestrators.GOING and set(states) <= services.ACTIVE)
        assert health["healthy_services"] == sum(state in services.ACTIVE for state in states)
        assert health["uptime"] >= 0.0

    @invariant()
    def errors_are_counted_and_told(self) -> None:
        told = Counter(event.service for event in self.heard.of(ServiceError))
        for service in self.services:
            assert told[service.name] <= service.error_count

    def teardown(self) -> None:
        async def end() -> None:
            left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
            for service in self.services:
                service.hangs_to_end = False
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

        self.loop.run_until_complete(end())
        self.loop.close()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=40, stateful_step_count=20)


@pytest.mark.parametrize("to", ServiceState)
@pytest.mark.parametrize("state", ServiceState)
def test_a_service_makes_legal_moves_and_no_others(state: ServiceState, to: ServiceState) -> None:
    async def story() -> None:
        service = FakeService("EURUSD", LocalEventBus(), HandClock())
        service.state = state
        if to in services.LEGAL_MOVES[state]:
            service._move(to)
            assert service.state is to
        else:
            with pytest.raises(SptraderError, match="cannot become"):
                service._move(to)

    played(story())


# Starting and stopping


def test_services_start_in_order_through_gates_and_stop_in_reverse() -> None:
    async def story() -> None:
        clock = HandClock()
        orchestrator, _ = symbol(clock)
        heard = Heard(orchestrator.bus)
        await orchestrator.start()
        assert [f"{event.kind} {getattr(event, 'service', '')}".strip() for event in heard] == [
            *(f"SERVICE_STARTED {name}" for name in reversed(NAMES)),
            "ORCHESTRATOR_STARTED",
        ]
        heard.clear()
        assert await orchestrator.stop() == ()
        assert [f"{event.kind} {getattr(event, 'service', '')}".strip() for event in heard] == [
            *(f"SERVICE_STOPPED {name}" for name in NAMES),
            "ORCHESTRATOR_STOPPED",
        ]

    played(story())


def test_behind_a_gate_that_does_not_open_nothing_starts() -> None:
    async def story() -> None:
        session = Session("EURUSD", "XAUUSD", is_restarting=False)
        _, indicators, strategy, execution = session.services["EURUSD"]
        strategy.refuses = [OSError("no history")]
        await session.all.start()
        eurusd = session.all.orchestrators["EURUSD"]
        assert (execution.opened, strategy.opened, indicators.opened) == (1, 0, 0)
        assert (eurusd.state, execution.state) == (OrchestratorState.ERROR, ServiceState.STOPPED)
        assert eurusd.halt_reason == "EURUSD StrategyEvaluationService did not start: no history"
        assert session.all.orchestrators["XAUUSD"].state is OrchestratorState.RUNNING
        assert session.all.check_health()["healthy_symbols"] == 1

    played(story())


def test_a_gate_that_hangs_is_given_up() -> None:
    async def story() -> None:
        clock = HandClock()
        orchestrator, found = symbol(clock, is_restarting=False)
        found[0].hangs_to_open = True
        starting = asyncio.ensure_future(orchestrator.start())
        await clock.until(starting)
        assert orchestrator.halt_reason.endswith("DataFetchingService did not start: it was not ready within 15 s")

    played(story())


def test_what_does_not_stop_within_the_bound_is_named_and_the_rest_has_stopped() -> None:
    async def story() -> None:
        session = Session("EURUSD", "XAUUSD")
        await session.all.start()
        session.services["EURUSD"][1].hangs_to_end = True
        session.services["XAUUSD"][0].hangs_to_end = True
        begun = session.clock.monotonic()
        left = await session.clock.until(asyncio.ensure_future(session.all.stop(2.0)))
        assert left == ("EURUSD IndicatorCalculationService", "XAUUSD DataFetchingService")
        assert session.clock.monotonic() - begun <= 2.0
        rest = [service for found in session.services.values() for service in found if not service.hangs_to_end]
        assert {service.state for service in rest} == {ServiceState.STOPPED}
        for found in session.services.values():
            for service in found:
                service.hangs_to_end = False
        assert await session.clock.until(asyncio.ensure_future(session.all.stop(2.0))) == ()

    played(story())


def test_a_stop_cuts_off_a_start_that_hangs() -> None:
    async def story() -> None:
        clock = HandClock()
        orchestrator, found = symbol(clock)
        found[1].hangs_to_open = True
        starting = asyncio.ensure_future(orchestrator.start())
        await settled()
        assert await clock.until(asyncio.ensure_future(orchestrator.stop())) == ()
        assert clock.monotonic() <= 5.0
        await starting
        assert {service.state for service in found} == {ServiceState.STOPPED, ServiceState.CREATED}

    played(story())


# Time


@pytest.mark.parametrize("clock", [HandClock(), SystemClock()], ids=["by hand", "of the system"])
def test_what_takes_too_long_is_cut_off_and_what_does_not_listen_is_named(clock: Clock) -> None:
    async def story() -> None:
        freed = asyncio.Event()

        async def deaf() -> None:
            while not freed.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await freed.wait()

        async def answer() -> int:
            return 7

        async def raises() -> int:
            raise KeyError

        async def cut() -> set[asyncio.Task[None]]:
            with pytest.raises(TimeoutError):
                await within(clock, 0.01, asyncio.Event().wait())
            tasks = {asyncio.ensure_future(deaf()), asyncio.ensure_future(idle())}
            await asyncio.sleep(0)  # both have begun
            return await ended(clock, 0.01, tasks)

        async def idle() -> None:
            await asyncio.Event().wait()

        assert await within(clock, 5.0, answer()) == 7
        with pytest.raises(KeyError):
            await within(clock, 5.0, raises())
        cutting = asyncio.ensure_future(cut())
        (left,) = await (clock.until(cutting) if isinstance(clock, HandClock) else cutting)
        freed.set()
        await left
        before = clock.now(), clock.monotonic()
        assert (clock.now(), clock.monotonic()) >= before

    played(story())


# The whole


def test_it_runs_until_it_is_stopped_or_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        session = Session("EURUSD", config=OrchestratorConfig(status_log_interval=10.0))
        for end in ("stop", "cancel"):
            running = asyncio.ensure_future(session.all.run(check_interval=60))
            await session.clock.turn(35.0)
            assert state(session.all) == "running"
            if end == "stop":
                await session.all.stop()
                await running
            else:
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
            assert state(session.all) == "stopped"
            assert {service.ended for service in session.services["EURUSD"]} == {1 if end == "stop" else 2}

    with caplog.at_level("INFO", "sptrader.live"):
        played(story())
    assert [line.getMessage() for line in caplog.records].count("running, 1 of 1 symbols healthy: EURUSD running 4/4") == 6


def test_trades_are_told_abroad_and_nothing_else_is() -> None:
    async def story() -> None:
        session = Session("EURUSD")
        await session.all.start()
        trade = TradeExecuted("EURUSD", 1, "o1", "sold")
        session.symbols[0].bus.publish(trade)
        assert session.abroad.published == [trade]

    played(story())
