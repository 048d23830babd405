"""The local event bus delivers everything to everybody in one order, however badly some listen."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.runtime.live import events
from sptrader_desktop.runtime.live.event_bus import MOST_CHAINED, LocalEventBus
from sptrader_desktop.runtime.live.events import DataFetchFailed, Event, EventKind, OrchestratorPaused, ServiceError, ServiceStarted
from tests.live_session import Heard, raised

FIRST, SECOND, THIRD = (OrchestratorPaused("EURUSD", at, str(at)) for at in (1, 2, 3))


def test_there_is_one_class_for_each_kind_of_event() -> None:
    kinds = [found.kind for found in vars(events).values() if isinstance(found, type) and issubclass(found, Event) and found is not Event]
    assert sorted(kinds) == sorted(EventKind)


def test_who_listens_hears_its_own_kind_until_it_stops() -> None:
    bus, heard = LocalEventBus(), list[Event]()
    end = bus.subscribe(OrchestratorPaused, heard.append, raised)
    bus.publish(FIRST)
    bus.publish(DataFetchFailed("EURUSD", 1, "no"))
    end()
    bus.publish(SECOND)
    assert heard == [FIRST]


def test_an_event_that_follows_from_another_is_heard_after_it_by_all() -> None:
    bus = LocalEventBus()
    follows = {FIRST: SECOND, SECOND: THIRD}
    bus.subscribe(OrchestratorPaused, lambda event: bus.publish(follows[event]) if event in follows else None, raised)
    late = Heard(bus)
    bus.publish(FIRST)
    assert late == [FIRST, SECOND, THIRD]


@settings(max_examples=60)
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(1, 5))
def test_one_that_raises_keeps_nobody_from_hearing_and_gets_its_own_error(listeners: list[bool], count: int) -> None:
    bus, heard, failed = LocalEventBus(), list[tuple[int, int]](), list[tuple[int, str]]()

    def listener(number: int, is_hostile: bool) -> Callable[[Event], None]:
        def hear(event: Event) -> None:
            if is_hostile:
                raise ValueError(f"{number} at {event.at}")
            heard.append((event.at, number))

        return hear

    def error_path(number: int) -> Callable[[Exception], None]:
        return lambda error: failed.append((number, str(error)))

    for number, is_hostile in enumerate(listeners):
        bus.subscribe(OrchestratorPaused, listener(number, is_hostile), error_path(number))
    for at in range(count):
        bus.publish(OrchestratorPaused("EURUSD", at, ""))
    well = [number for number, is_hostile in enumerate(listeners) if not is_hostile]
    ill = [number for number, is_hostile in enumerate(listeners) if is_hostile]
    assert heard == [(at, number) for at in range(count) for number in well]
    assert failed == [(number, f"{number} at {at}") for at in range(count) for number in ill]


def test_one_that_answers_itself_without_end_is_stopped_and_told() -> None:
    bus, failed, others = LocalEventBus(), list[Exception](), list[Event]()
    bus.subscribe(OrchestratorPaused, bus.publish, failed.append)
    bus.subscribe(OrchestratorPaused, others.append, raised)
    bus.publish(FIRST)
    assert len(others) == MOST_CHAINED
    assert [type(error) for error in failed] == [SptraderError]
    bus.publish(SECOND)
    assert len(others) == 2 * MOST_CHAINED


def test_an_error_path_may_speak_on_the_bus_and_even_then_the_last_one_hears_all() -> None:
    bus, heard = LocalEventBus(), list[Event]()

    def raises(event: Event) -> None:
        raise ValueError

    bus.subscribe(OrchestratorPaused, raises, lambda _: bus.publish(ServiceError("EURUSD", 0, "bad", "why")))
    bus.subscribe(Event, heard.append, raised)
    bus.publish(FIRST)
    bus.publish(ServiceStarted("EURUSD", 1, "x"))
    assert [event.kind for event in heard] == ["ORCHESTRATOR_PAUSED", "SERVICE_ERROR", "SERVICE_STARTED"]


def test_who_stops_listening_while_an_event_is_delivered_harms_no_other() -> None:
    bus, heard = LocalEventBus(), list[Event]()
    ends: list[Callable[[], None]] = []
    ends.append(bus.subscribe(OrchestratorPaused, lambda _: ends[0](), raised))
    bus.subscribe(OrchestratorPaused, heard.append, raised)
    bus.publish(FIRST)
    bus.publish(SECOND)
    assert heard == [FIRST, SECOND]
