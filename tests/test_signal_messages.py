"""Which messages are believed to be signals: every rule by examples, anything else by what hypothesis makes up."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sptrader_desktop.core.sequences import MOST_BEYOND, MOST_PUBLISHERS, Gap, Sequences, Unjudged
from sptrader_desktop.core.signals import (
    DEEPEST,
    LIFE_US,
    LONGEST_MESSAGE,
    NONE,
    RULES,
    BadSignalError,
    Signal,
    content_id,
    read_signal,
    sign,
    write_signal,
)

AT = 1_736_937_000_000_000  # 2025-01-15T10:30:00Z
OLD = {
    "timestamp": "2025-01-15T10:30:00Z",
    "signal_name": "ma_crossover",
    "signal_type": "golden_cross",
    "strength": 0.8,
    "metadata": {"current_price": 1.0860, "ma_fast": 1.0858},
}
OURS = OLD | {
    "signal_id": "b7",
    "symbol": "EURUSD",
    "timeframe": "1h",
    "seq": 7,
    "publisher": "desk 1",
    "valid_until": "2025-01-15T12:31:00+01:00",
    "sent_at": "2025-01-15T11:30:00.000250Z",
}


def told(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


def refused(message: dict[bytes, bytes] | bytes, **given: Any) -> str:
    with pytest.raises(BadSignalError) as refusal:
        read_signal(message, **given)
    assert RULES[refusal.value.rule] in str(refusal.value)
    assert str(refusal.value).isprintable()
    return refusal.value.rule


# What is understood


def test_a_message_of_old_acts_when_it_arrives_and_for_a_minute() -> None:
    signal = read_signal(told(OLD))
    assert (signal.name, signal.type, signal.strength, signal.metadata) == ("ma_crossover", "golden_cross", 0.8, OLD["metadata"])
    assert (signal.symbol, signal.timeframe, signal.bar_time, signal.seq, signal.publisher) == (None, None, None, None, None)
    assert (signal.sent_at, signal.valid_until) == (AT, AT + LIFE_US)
    assert signal.holds


def test_a_message_of_ours_is_about_its_bar() -> None:
    signal = read_signal(told(OURS))
    assert (signal.id, signal.symbol, signal.timeframe, signal.seq, signal.publisher) == ("b7", "EURUSD", "1h", 7, "desk 1")
    assert (signal.bar_time, signal.sent_at) == (AT, AT + 3_600_000_250)
    assert signal.valid_until == AT + 3_660_000_000
    assert read_signal(told(OURS | {"valid_until": None})).valid_until is None


def test_a_signal_that_was_computed_and_does_not_hold_is_told_too() -> None:
    assert not read_signal(told(OURS | {"signal_type": NONE})).holds


@pytest.mark.parametrize("name", [b"data", b"signal", b"payload", b"message"])
def test_the_object_may_stand_under_any_known_name_or_be_the_entry_itself(name: bytes) -> None:
    flat = {key.encode(): (value if isinstance(value, str) else json.dumps(value)).encode() for key, value in OURS.items()}
    assert read_signal({name: told(OURS)}) == read_signal(told(OURS)) == read_signal(flat)


def test_unknown_fields_and_nulls_are_kept_out() -> None:
    more = read_signal(told(OURS | {"colour": "red", "strengths": [1, 2]}))
    assert more == read_signal(told(OURS))
    assert read_signal(told(OLD | {"symbol": None, "metadata": None})).metadata == {}


def test_without_an_id_it_is_the_hash_of_the_message() -> None:
    again = dict(reversed(OLD.items()))
    assert read_signal(told(OLD)).id == read_signal(told(again)).id
    changes: list[dict[str, Any]] = [{}, {"strength": 0.81}, {"metadata": {}}, {"colour": "red"}]
    others = [read_signal(told(OLD | change)).id for change in changes]
    assert len(set(others)) == len(others)


NAMES = st.text(st.characters(min_codepoint=33, exclude_categories=["C", "Z"]), min_size=1, max_size=40)
STAMPS = st.integers(-2_208_988_800_000_000, 7_258_118_399_999_999)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | FINITE | st.integers(-(2**63) + 1, 2**63 - 1) | st.text(st.characters(codec="utf-8"), max_size=50)
METADATA = st.dictionaries(NAMES, LEAVES | st.lists(LEAVES, max_size=3), max_size=4)


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    has_bar = draw(st.booleans())
    return Signal(
        id=draw(NAMES),
        name=draw(NAMES),
        type=draw(NAMES.filter(lambda kind: kind != NONE)),
        strength=draw(FINITE),
        sent_at=draw(STAMPS),
        metadata=draw(METADATA),
        symbol=draw(st.none() | NAMES),
        timeframe=draw(st.sampled_from(["30s", "1m", "4h", "1w"])) if has_bar else None,
        bar_time=draw(STAMPS) if has_bar else None,
        seq=draw(st.none() | st.integers(0, 2**63 - 1)),
        publisher=draw(st.none() | NAMES),
        valid_until=draw(STAMPS | st.none()) if has_bar else draw(STAMPS),
    )


@given(signals())
def test_what_is_written_is_read_again_exactly(signal: Signal) -> None:
    assert read_signal(write_signal(signal)) == signal


@given(signals())
def test_an_id_made_of_the_content_is_that_of_the_content_alone(signal: Signal) -> None:
    again = replace(signal, id="other", seq=None, valid_until=0)
    assert content_id(again) == content_id(signal)
    assert (content_id(replace(signal, sent_at=signal.sent_at + 1)) == content_id(signal)) == (signal.bar_time is not None)
    for changed in ({"strength": math.nextafter(signal.strength, 0) or 1.0}, {"type": "!"}, {"symbol": "?"}, {"publisher": "&"}):
        assert content_id(replace(signal, **changed)) != content_id(signal)


# What is refused


def nested(depth: int) -> Any:
    return 1 if depth == 0 else [nested(depth - 1)]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("missing", {"strength": None}),
        ("missing", {"timestamp": None}),
        ("type", {"strength": "0.8"}),
        ("type", {"strength": True}),
        ("type", {"signal_name": 7}),
        ("type", {"timestamp": 1736937000}),
        ("type", {"metadata": []}),
        ("type", {"seq": 1.0}),
        ("type", {"seq": True}),
        ("type", {"seq": -1}),
        ("text", {"signal_name": ""}),
        ("text", {"signal_name": " ma"}),
        ("text", {"signal_name": "x" * 101}),
        ("text", {"symbol": "EUR\nUSD"}),
        ("text", {"publisher": "\x1b[31m"}),
        ("text", {"metadata": {"k" * 101: 1}}),
        ("text", {"metadata": {"k": ["x" * 4001]}}),
        ("time", {"timestamp": "2025-01-15T10:30:00"}),
        ("time", {"timestamp": "2025-01-15"}),
        ("time", {"timestamp": "soon"}),
        ("time", {"timestamp": "1899-12-31T23:59:59Z"}),
        ("time", {"valid_until": "2200-01-01T00:00:00Z"}),
        ("time", {"timestamp": "9999-12-31T23:59:59-23:00"}),
        ("timeframe", {"timeframe": "1 hour"}),
        ("bar", {"timeframe": None, "signal_type": NONE}),
        ("number", {"strength": math.nan}),
        ("number", {"strength": math.inf}),
        ("number", {"metadata": {"x": -math.inf}}),
        ("number", {"seq": 2**63}),
        ("number", {"metadata": {"x": 10**400}}),
        ("depth", {"metadata": {"x": nested(DEEPEST)}}),
        ("depth", {"colour": nested(DEEPEST)}),
        ("utf8", {"metadata": {"x": ["\ud800"]}}),
        ("size", {"colour": "x" * LONGEST_MESSAGE}),
    ],
)
def test_each_rule_is_named_where_a_field_breaks_it(rule: str, change: dict[str, Any]) -> None:
    assert refused(told(OURS | change)) == rule


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("json", b""),
        ("json", b"{"),
        ("json", b"[]"),
        ("json", b"1"),
        ("json", b"null"),
        ("json", b"\xef\xbb\xbf{}"),
        ("json", b"{'strength': 1}"),
        ("utf8", b'{"signal_name": "\xff"}'),
        ("utf8", json.dumps(OLD).encode("utf-16")),
        ("twice", b'{"strength": 1, "strength": 2}'),
        ("twice", b'{"metadata": {"a": 1, "a": 1}}'),
        ("number", b'{"strength": 1e999}'),
        ("number", b'{"strength": -Infinity}'),
        ("number", b'{"strength": ' + b"9" * 5_000 + b"}"),
        ("depth", b"[" * 60_000),
        ("depth", b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
        ("size", b" " * LONGEST_MESSAGE + b"{}"),
        ("fields", {}),
        ("fields", {b"dta": b"{}"}),
        ("utf8", {b"signal_name": b"\xff"}),
        ("utf8", {b"signal_name": b"x", b"\xff": b"x"}),
        ("json", {b"signal_name": b"x", b"strength": b"much"}),
        ("size", {b"data": b"{}", b"more": b"x" * LONGEST_MESSAGE}),
    ],
)
def test_each_rule_is_named_where_the_message_is_not_one(rule: str, message: Any) -> None:
    assert refused(message) == rule


def test_as_deep_as_is_allowed_is_read() -> None:
    assert read_signal(told(OURS | {"metadata": {"x": nested(DEEPEST - 2)}})).metadata == {"x": nested(DEEPEST - 2)}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from([*OURS, "colour"]), ANYTHING))
@example({"timestamp": "-001-01-01T00:00:00Z"})
def test_whatever_stands_in_the_fields_is_a_signal_or_breaks_a_rule(change: dict[str, Any]) -> None:
    believed_or_refused(json.dumps(OURS | change).encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_whatever_the_bytes_are_they_are_a_signal_or_break_a_rule(raw: bytes) -> None:
    believed_or_refused(raw)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=3), st.integers(0, 3))
def test_a_damaged_message_is_a_signal_or_breaks_a_rule(at: int, junk: bytes, gone: int) -> None:
    whole = told(OURS)
    believed_or_refused(whole[:at] + junk + whole[at + gone :])


def believed_or_refused(raw: bytes) -> None:
    try:
        signal = read_signal(raw)
    except BadSignalError as error:
        told_of = error.rule, str(error)
    else:
        assert math.isfinite(signal.strength)
        assert read_signal(write_signal(signal)) == signal
        return
    assert told_of[0] in RULES
    assert told_of[1].isprintable()


def test_every_rule_is_broken_by_a_test() -> None:
    marks = [
        mark
        for test in (test_each_rule_is_named_where_a_field_breaks_it, test_each_rule_is_named_where_the_message_is_not_one)
        for mark in test.pytestmark
    ]
    by_tables = {row[0] for mark in marks for row in mark.args[1]}
    assert set(RULES) - by_tables == {"unsigned", "stranger", "forged"}


# Signatures

KEY = b"k" * 32


def known(publisher: str) -> bytes | None:
    return KEY if publisher == OURS["publisher"] else None


def test_a_signed_message_is_believed_and_no_other() -> None:
    text = told(OURS)
    signed = {b"data": text, b"signature": sign(KEY, text)}
    assert read_signal(signed, known) == read_signal(text)
    other = told(OURS | {"strength": 0.9})
    stranger = told(OURS | {"publisher": "desk 2"})
    flat = {b"signal_name": b"ma", b"signal_type": b"x", b"strength": b"1", b"timestamp": b"2025-01-15T10:30:00Z", b"publisher": b"desk 1"}
    assert refused({b"data": text}, key_of=known) == "unsigned"
    assert refused(flat | {b"signature": sign(KEY, b"")}, key_of=known) == "unsigned"
    assert refused({b"data": told(OLD), b"signature": sign(KEY, told(OLD))}, key_of=known) == "unsigned"
    assert refused({b"data": other, b"signature": sign(KEY, text)}, key_of=known) == "forged"
    assert refused({b"data": text, b"signature": sign(b"other", text)}, key_of=known) == "forged"
    assert refused({b"data": text, b"signature": "ä".encode()}, key_of=known) == "forged"
    assert refused({b"data": stranger, b"signature": sign(KEY, stranger)}, key_of=known) == "stranger"
    assert refused({b"data": b"{}", b"signature": sign(KEY, b"{}")}, key_of=known) == "missing"


# Numbers of publishers


def numbered(seq: int | None, publisher: str | None = "p") -> Signal:
    return Signal("i", "n", "t", 1.0, AT, seq=seq, publisher=publisher)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.integers(-1, 30))
def test_what_is_missing_is_told_once_and_exactly(numbers: list[int], before: int) -> None:
    """The oracle: every number up to the highest either came when it was higher than all before, or lies in a gap."""
    sequences, highest = Sequences({"p": before} if before >= 0 else {}), before if before >= 0 else None
    missing: set[int] = set()
    for seq in numbers:
        is_late = highest is not None and seq <= highest
        assert sequences.is_stale(numbered(seq)) == is_late
        gap = sequences.seen(numbered(seq))
        expected = set() if is_late or highest is None else set(range(highest + 1, seq))
        found = set() if gap is None else set(range(gap.first, gap.last + 1))
        assert found == expected
        assert gap is None or gap.missing == len(expected)
        assert not missing & found
        missing |= found
        highest = seq if highest is None else max(seq, highest)
    assert sequences.last == {"p": highest}


PAGES = st.lists(st.tuples(st.sampled_from(["p", "q"]), st.integers(1, 4)), max_size=6)
WHICH = st.lists(st.tuples(st.sampled_from(["p", "q"]), st.integers(0, 25)), max_size=20)


@given(PAGES, WHICH, st.integers(0, 3))
def test_what_was_read_and_not_judged_is_known_exactly(pages: list[tuple[str, int]], judged: list[tuple[str, int]], before: int) -> None:
    """The oracle: a set of all of them."""
    unjudged, last = Unjudged(), {"p": before, "q": before}
    left: set[tuple[str, int]] = set()
    for publisher, count in pages:
        unjudged.read(publisher, last[publisher], last[publisher] + count)
        left |= {(publisher, last[publisher] + number) for number in range(1, count + 1)}
        last[publisher] += count
    for publisher, number in judged:
        assert unjudged.holds(numbered(number, publisher)) == ((publisher, number) in left)
        unjudged.judged(publisher, number)
        left.discard((publisher, number))
    assert [(gap.publisher, number) for gap in unjudged.spans() for number in range(gap.first, gap.last + 1)] == sorted(
        left, key=lambda each: (list(dict.fromkeys(name for name, _ in pages)).index(each[0]), each[1])
    )


def test_who_judges_too_much_out_of_order_is_not_remembered() -> None:
    unjudged = Unjudged()
    unjudged.read("p", 0, 10 * MOST_BEYOND)
    for number in range(MOST_BEYOND + 1):
        unjudged.judged("p", 2 + number)
    assert unjudged == Unjudged()


def test_publishers_are_counted_apart_and_those_without_numbers_not_at_all() -> None:
    sequences = Sequences({"a": 4})
    assert [sequences.seen(numbered(seq, name)) for seq, name in ((5, "a"), (9, "b"), (None, "a"), (3, None), (5, None), (11, "b"))] == [
        None,
        None,
        None,
        None,
        Gap("", 4, 4),
        Gap("b", 10, 10),
    ]
    assert not sequences.is_stale(numbered(None, "a"))


def test_invented_publishers_do_not_fill_the_memory() -> None:
    sequences = Sequences({})
    for number in range(MOST_PUBLISHERS + 5):
        sequences.seen(numbered(1, f"p{number}"))
    assert len(sequences.last) == MOST_PUBLISHERS
    assert "p4" not in sequences.last
    assert f"p{MOST_PUBLISHERS + 4}" in sequences.last
