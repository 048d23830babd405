"""A signal that goes out to the stream comes back as it was; one of other publishers gets a symbol and an end where it has none."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.signals import Signal as Message
from sptrader_desktop.core.signals import content_id, read_signal, write_signal
from sptrader_desktop.runtime.live.parts import NO_EVENT, Signal
from sptrader_desktop.runtime.live.stream_signals import PART, heard, said
from tests.live_candles import MINUTE_US
from tests.live_session import NOON

EURUSD = frozenset({"EURUSD"})
NAMES = st.sampled_from(["ma_fast", "trend", "x"])


@given(
    st.sampled_from(["up", "golden_cross", NO_EVENT]),
    st.floats(0.0, 1.0),
    st.dictionaries(NAMES, st.floats(-1e6, 1e6) | st.sampled_from(["high", ""])),
    st.integers(1, 4).flatmap(lambda parts: st.tuples(st.integers(1, parts), st.just(parts))),
)
def test_what_goes_out_comes_back(kind: str, strength: float, metadata: dict[str, float | str], part: tuple[int, int]) -> None:
    sent = Signal("id", "cross", "EURUSD", "1m", NOON, kind, strength, NOON + 2 * MINUTE_US, metadata, *part)
    told = said(sent)
    message = Message("", told.name, told.type, told.strength, NOON + MINUTE_US, told.metadata, told.symbol, told.timeframe, told.bar_time)
    message = replace(message, id=content_id(message), valid_until=told.valid_until)
    back = heard(read_signal(write_signal(message)), EURUSD, NOON)
    assert back == Signal(message.id, "cross", "EURUSD", "1m", NOON, kind, strength, NOON + 2 * MINUTE_US, metadata, *part)


def message(**given: object) -> Message:
    plain = {"id": "a", "name": "cross", "type": "up", "strength": 1, "sent_at": NOON}
    return Message(**(plain | given))  # type: ignore[arg-type]


def test_one_without_a_symbol_belongs_to_the_only_one_and_to_none_of_several() -> None:
    assert heard(message(), EURUSD, NOON).symbol == "EURUSD"
    with pytest.raises(DataError, match="it names no symbol, and this session trades EURUSD, XAUUSD: publish it with one"):
        heard(message(), {"XAUUSD", "EURUSD"}, NOON)
    with pytest.raises(DataError, match="it is of GBPUSD, and this session trades EURUSD"):
        heard(message(symbol="GBPUSD"), EURUSD, NOON)


@pytest.mark.parametrize(
    ("given", "until"),
    [
        ({}, NOON + MINUTE_US),
        ({"valid_until": NOON + 7}, NOON + 7),
        ({"timeframe": "1h", "bar_time": NOON}, NOON + 61 * MINUTE_US),
        ({"timeframe": "7m", "bar_time": NOON}, NOON + 8 * MINUTE_US),  # of which no bars are made here
    ],
)
def test_one_that_does_not_say_until_when_it_is_valid_expires_a_minute_after_its_bar_or_its_sending(
    given: dict[str, object], until: int
) -> None:
    assert heard(message(**given), EURUSD, NOON).valid_until == until


def test_one_of_a_time_to_come_is_refused_since_it_would_not_look_old_after_hours() -> None:
    with pytest.raises(DataError, match="its time is 3,600 s ahead of this computer's clock, so nobody can tell how old it is"):
        heard(message(sent_at=NOON + 60 * MINUTE_US), EURUSD, NOON)
    assert heard(message(sent_at=NOON + MINUTE_US), EURUSD, NOON).valid_until == NOON + 2 * MINUTE_US


@pytest.mark.parametrize("text", ["", "2", "a/b", "1/", "-1/2", "1/99999999999", "²/3"])
def test_what_is_no_part_is_the_only_one(text: str) -> None:
    found = heard(message(metadata={PART: text, "deep": [1], "x": 2}), EURUSD, NOON)
    assert (found.part, found.parts, found.metadata) == (1, 1, {"x": 2})
