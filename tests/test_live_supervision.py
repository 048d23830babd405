"""What fails is started again so often and no more; what is paused waits for each reason to end."""

import asyncio

import pytest

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import DataFetchFailed, OrchestratorPaused
from sptrader_desktop.runtime.live.multi_symbol_orchestrator import LatchedError
from sptrader_desktop.runtime.live.parts import PauseReason
from sptrader_desktop.runtime.live.restart_intensity import RestartIntensity
from sptrader_desktop.runtime.live.service import ServiceState
from sptrader_desktop.runtime.live.services_config import OrchestratorConfig
from sptrader_desktop.runtime.live.symbol_orchestrator import OrchestratorState
from tests.live_session import FakeService, HandClock, Heard, played, settled
from tests.live_symbols import Session, state, symbol

# Supervision


def test_it_allows_so_many_within_the_window_and_no_more() -> None:
    async def story() -> None:
        clock = HandClock()
        intensity = RestartIntensity(clock)
        for second in range(200):
            allowed = intensity.allows()
            assert allowed == (second % 60 < 3)
            await clock.turn(1.0)

    played(story())


def test_three_recoveries_then_the_symbol_anew_three_times_then_it_is_halted() -> None:
    async def story() -> None:
        session = Session("EURUSD", "XAUUSD", "GBPUSD", "USDJPY")
        await session.all.start()
        data, execution = session.services["EURUSD"][0], session.services["EURUSD"][3]
        lives = []
        for _ in range(16):
            lives.append((data.opened, execution.opened))
            data.crash.set()
            await settled()
        # The data service is opened at every failure; the last service only when all of the symbol is started anew.
        assert lives == [(1 + n, 1 + n // 4) for n in range(16)]
        eurusd = session.all.orchestrators["EURUSD"]
        assert (eurusd.state, eurusd.halt_reason) == (OrchestratorState.ERROR, "DataFetchingService: it crashed")
        assert (session.latch.reason, session.all.state) == ("", OrchestratorState.RUNNING)
        await session.all.restart("EURUSD")
        assert eurusd.check_health()["is_healthy"]

    played(story())


def test_failures_far_apart_never_escalate() -> None:
    async def story() -> None:
        session = Session("EURUSD")
        await session.all.start()
        data, execution = session.services["EURUSD"][0], session.services["EURUSD"][3]
        for n in range(30):
            data.crash.set()
            await session.clock.turn(20.1)
            assert (data.opened, execution.opened, data.error_count) == (n + 2, 1, n + 1)

    played(story())


def test_three_halted_symbols_shut_the_latch_and_a_person_must_open_it() -> None:
    async def story() -> None:
        session = Session("EURUSD", "XAUUSD", "GBPUSD", "USDJPY")
        await session.all.start()
        for name, is_shut in (("EURUSD", False), ("XAUUSD", False), ("GBPUSD", True)):
            await session.ruin(name)
            assert bool(session.latch.reason) == is_shut
        assert session.latch.reason.startswith("3 of 4 symbols were halted (EURUSD: DataFetchingService: it crashed; ")
        assert session.all.state is OrchestratorState.ERROR
        assert not session.all.check_health()["is_healthy"]
        for refused in (session.all.start, session.all.restart):
            with pytest.raises(LatchedError, match="sptrader rearm"):
                await refused()
        with pytest.raises(LatchedError):
            session.all.resume()
        session.latch.reason = ""
        await session.all.restart()
        assert session.all.check_health()["is_healthy"]

    played(story())


def test_the_only_symbol_halted_is_everything_halted() -> None:
    async def story() -> None:
        session = Session("EURUSD")
        await session.all.start()
        await session.ruin("EURUSD")
        assert session.latch.reason.startswith("1 of 1 symbols")
        running = asyncio.ensure_future(session.all.run())  # as when it was halted at its very start: exits are watched beside it
        await settled()
        assert not running.done()
        await session.all.stop()
        await running

    played(story())


def test_with_restarts_switched_off_the_first_failure_is_the_last() -> None:
    async def story() -> None:
        session = Session("EURUSD", "XAUUSD", is_restarting=False)
        await session.all.start()
        session.services["EURUSD"][2].crash.set()
        await settled()
        eurusd = session.all.orchestrators["EURUSD"]
        assert eurusd.state is OrchestratorState.ERROR
        assert eurusd.halt_reason == "StrategyEvaluationService: it crashed; restarts are switched off"
        assert session.services["EURUSD"][2].opened == 1

    played(story())


def test_a_failure_that_nobody_mended_is_mended_at_the_next_look() -> None:
    async def story() -> None:
        session = Session("EURUSD", config=OrchestratorConfig(health_check_interval=7.0))
        running = asyncio.ensure_future(session.all.run())
        await session.clock.turn(1.0)
        data = session.services["EURUSD"][0]
        data.failed = lambda: None
        data.crash.set()
        await session.clock.turn(5.9)
        assert state(data) == "error"
        await session.clock.turn(0.2)
        assert state(data) == "running"
        await session.all.stop()
        await running

    played(story())


def test_a_service_that_fails_while_it_is_paused_comes_back_paused() -> None:
    async def story() -> None:
        clock = HandClock()
        orchestrator, found = symbol(clock)
        await orchestrator.start()
        orchestrator.pause()
        found[3].crash.set()
        await settled()
        assert (found[3].opened, found[3].state) == (2, ServiceState.PAUSED)

    played(story())


def test_a_service_that_has_failed_hears_nothing_until_it_recovers() -> None:
    async def story() -> None:
        heard: list[DataFetchFailed] = []

        class Listening(FakeService):
            async def _open(self) -> None:
                await super()._open()
                self._listen(DataFetchFailed, heard.append)

        service, told = Listening("EURUSD", LocalEventBus(), HandClock()), DataFetchFailed("EURUSD", 1, "no")
        await service.start()
        service._bus.publish(told)
        service.fail(ValueError("a defect"))
        service._bus.publish(told)
        assert len(heard) == 1
        assert await service.recover()
        service._bus.publish(told)
        assert len(heard) == 2  # and not twice

    played(story())


# Pauses


def test_a_pause_ends_when_the_last_of_its_reasons_has() -> None:
    async def story() -> None:
        session = Session("EURUSD", "XAUUSD")
        heard = Heard(*(orchestrator.bus for orchestrator in session.symbols))
        await session.all.start()
        session.all.pause()
        session.all.pause(PauseReason.RISK_BREACH, "EURUSD")
        assert session.all.state is OrchestratorState.PAUSED
        assert [(event.symbol, event.why) for event in heard.of(OrchestratorPaused)] == [
            ("EURUSD", "a person"),
            ("XAUUSD", "a person"),
            ("EURUSD", "a person, risk breach"),
        ]
        assert session.all.resume() == {PauseReason.RISK_BREACH}
        states = {name: orchestrator.state for name, orchestrator in session.all.orchestrators.items()}
        assert states == {"EURUSD": OrchestratorState.PAUSED, "XAUUSD": OrchestratorState.RUNNING}
        assert session.all.check_health()["is_healthy"]
        assert session.all.resume(PauseReason.RISK_BREACH) == set()
        with pytest.raises(SptraderError, match="EURJPY is not traded in this session: it trades EURUSD, XAUUSD"):
            session.all.pause(symbol="EURJPY")

    played(story())


def test_a_closed_market_pauses_and_an_open_one_resumes_but_not_what_a_person_paused() -> None:
    async def story() -> None:
        session = Session("EURUSD", "XAUUSD", config=OrchestratorConfig(health_check_interval=30.0))
        session.market.closed = {"EURUSD"}
        running = asyncio.ensure_future(session.all.run())
        await session.clock.turn(1.0)
        symbols = session.all.orchestrators
        assert [sorted(of.pauses) for of in symbols.values()] == [["market closed"], []]
        session.all.pause(symbol="XAUUSD")
        session.market.closed = {"XAUUSD"}
        await session.clock.turn(30.0)
        assert symbols["EURUSD"].state is OrchestratorState.RUNNING
        assert sorted(symbols["XAUUSD"].pauses) == ["a person", "market closed"]
        session.market.closed = set()
        await session.clock.turn(30.0)
        assert sorted(symbols["XAUUSD"].pauses) == ["a person"]
        await session.all.stop()
        await running

    played(story())


def test_a_person_restarts_one_service_and_the_others_go_on() -> None:
    async def story() -> None:
        orchestrator, found = symbol(HandClock())
        with pytest.raises(SptraderError, match="is initializing: restart all of its services"):
            await orchestrator.restart_service(found[1].name)
        await orchestrator.start()
        orchestrator.pause()
        await orchestrator.restart_service(found[1].name)
        assert [service.opened for service in found] == [1, 2, 1, 1]
        assert [service.restarts for service in found] == [0, 1, 0, 0]
        assert found[1].state is ServiceState.PAUSED, "and what was paused does not come back trading"
        with pytest.raises(SptraderError, match="has no service Nobody: it has"):
            await orchestrator.restart_service("Nobody")
        found[1].refuses = [SptraderError("not now")]
        with pytest.raises(SptraderError, match="did not start again: not now"):
            await orchestrator.restart_service(found[1].name)
        await settled()
        assert (found[1].opened, found[1].state) == (3, ServiceState.PAUSED), "it is mended like any other failure"

    played(story())
