"""The broker's protocol as lines: what was written is read back the same, and anything else is one error."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.broker_line_values import BrokerLineError
from sptrader_desktop.adapters.broker_lines import LONGEST_ASKED, Fault, Price, answer_in, asked_in, line_of
from sptrader_desktop.core.broker_messages import (
    AskSnapshot,
    Cancel,
    Close,
    HeldPosition,
    Hello,
    Lost,
    Ping,
    Place,
    Pong,
    Protect,
    Refused,
    Snapshot,
    Transaction,
    Welcome,
    What,
    WorkingOrder,
)
from sptrader_desktop.core.records import EXIT_REASONS

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = TEXTS.filter(bool)
INTS = st.integers(-(2**63) + 1, 2**63 - 1)
COUNTS, SOME, BITS = st.integers(0, 2**63 - 1), st.integers(1, 2**63 - 1), st.sampled_from([0, 1])
SIDES, LEVELS = st.sampled_from([1, -1]), st.none() | INTS
KINDS = st.just(("market", -1)) | st.tuples(st.sampled_from(["limit", "stop"]), COUNTS)


@st.composite
def places(draw: st.DrawFn) -> Place:
    kind, level = draw(KINDS)
    expiry = draw(st.just(-1) | SOME)
    return Place(draw(NAMES), draw(NAMES), draw(COUNTS), draw(SIDES), kind, draw(SOME), level, expiry, draw(INTS), draw(INTS))


@st.composite
def working(draw: st.DrawFn) -> WorkingOrder:
    kind, level = draw(KINDS)
    return WorkingOrder(draw(NAMES), draw(NAMES), draw(SIDES), kind, draw(SOME), level)


HELD = st.builds(HeldPosition, COUNTS, NAMES, SIDES, SOME, SOME, LEVELS, LEVELS, LEVELS)
FIGURES = dict.fromkeys("commission amount stop target trail cash".split(), INTS)
TRANSACTIONS = st.builds(
    Transaction,
    n=SOME,
    what=st.sampled_from(What),
    id=TEXTS,
    at=COUNTS,
    symbol=TEXTS,
    position=st.just(-1) | COUNTS,
    side=st.sampled_from([0, 1, -1]),
    quantity=COUNTS,
    price=COUNTS,
    reason=TEXTS,
    opened=st.sampled_from([0, 1, 2]),
    ambiguous=BITS,
    resolved=BITS,
    **FIGURES,
)
FAULTS = st.builds(Fault, NAMES, st.dictionaries(st.sampled_from(["why", "count", "steps"]), TEXTS | INTS))
ASKED = (
    places()
    | st.builds(Close, NAMES, COUNTS, SOME, st.sampled_from(EXIT_REASONS), st.booleans())
    | st.builds(Cancel, NAMES, NAMES)
    | st.builds(Protect, NAMES, COUNTS, LEVELS, LEVELS, LEVELS)
    | st.builds(Hello, NAMES, COUNTS)
    | st.builds(AskSnapshot, NAMES)
    | st.builds(Ping, NAMES)
    | st.builds(Price, NAMES, COUNTS, SOME, st.none() | SOME)
    | FAULTS
)
ANSWERS = (
    TRANSACTIONS
    | st.builds(Welcome, NAMES, NAMES, NAMES, COUNTS)
    | st.builds(Snapshot, NAMES, COUNTS, INTS, st.lists(HELD, max_size=3).map(tuple), st.lists(working(), max_size=3).map(tuple))
    | st.just(Pong())
    | st.builds(Refused, st.none() | TEXTS, TEXTS)
    | st.builds(Lost, TEXTS)
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTS | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(ASKED)
def test_what_is_asked_comes_back_from_its_line(asked: Any) -> None:
    line = line_of(asked)
    assert asked_in(line) == asked
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


@given(ANSWERS)
def test_what_is_answered_comes_back_from_its_line(answer: Any) -> None:
    assert answer_in(line_of(answer)) == answer


@given(ASKED | ANSWERS, st.data())
def test_a_message_with_another_value_in_a_field_is_refused_or_is_another_message(message: Any, data: st.DataObject) -> None:
    found = json.loads(line_of(message))
    name = data.draw(st.sampled_from(sorted(found)))
    found[name] = data.draw(JSON)
    read = asked_in if "do" in json.loads(line_of(message)) else answer_in
    try:
        read_back = read(json.dumps(found).encode())
    except BrokerLineError:
        return
    values = [getattr(read_back, item.name) for item in fields(read_back)]
    assert not any(isinstance(value, float) for value in values)
    assert read(line_of(read_back)) == read_back


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_the_one_error(line: bytes) -> None:
    for read in (asked_in, answer_in):
        with pytest.raises(BrokerLineError):
            read(line)


@pytest.mark.parametrize(
    "line",
    [
        '{"do":"ping","id":"1","id":"2"}',
        '{"do":"ping","id":"1","more":1}',
        '{"do":"ping"}',
        '{"do":"ping","id":""}',
        '{"do":"ping","id":"\\ud800"}',
        '{"do":"hello","account":"a","since":1.0}',
        '{"do":"hello","account":"a","since":1e2}',
        '{"do":"hello","account":"a","since":NaN}',
        '{"do":"hello","account":"a","since":true}',
        '{"do":"hello","account":"a","since":-1}',
        '{"do":"hello","account":"a","since":99999999999999999999999}',
        '{"do":"close","id":"1","position":7,"quantity":1,"reason":"signal_exit"}',
        '{"do":"close","id":"1","position":"07","quantity":1,"reason":"signal_exit"}',
        '{"do":"close","id":"1","position":"7","quantity":0,"reason":"signal_exit"}',
        '{"do":"close","id":"1","position":"7","quantity":1,"reason":"because"}',
        '{"do":"price","symbol":"EURUSD","at":1,"raw":0,"ask":null}',
        '{"do":"fault","fault":"late","ms":0.5}',
        '{"is":"pong"}',
        '[{"do":"ping","id":"1"}]',
        '{"do":"ping","id":"' + "x" * LONGEST_ASKED + '"}',
        "[" * 60_000,
    ],
)
def test_what_is_nearly_a_request_is_refused(line: str) -> None:
    with pytest.raises(BrokerLineError):
        asked_in(line.encode())


def test_a_market_order_has_no_level_and_every_other_one_has() -> None:
    place = Place("a-1", "EURUSD", 0, 1, "limit", 10, 110_000, -1, 0, 0)
    line = line_of(place)
    assert json.loads(line)["level"] == 110_000
    for wrong in (line.replace(b'"limit"', b'"market"'), line.replace(b"110000", b"null")):
        with pytest.raises(BrokerLineError):
            asked_in(wrong)
