"""What lies under charts of any candles: which timeframes they come in, indicators as values, links, and documents that are kept."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.json_documents import JsonDocuments
from sptrader_desktop.core.calendar import DAY_US
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.resample import bar_closes, resample
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.present.chart_indicators import ChartIndicator, fitted, indicator_rows, templates_read, templates_written
from sptrader_desktop.present.chart_timeframes import USUAL, timeframes_from
from sptrader_desktop.present.drawings import Corner, Drawing, Drawings, drawings_read, drawings_written
from sptrader_desktop.present.linked_charts import follow_zone, link
from sptrader_desktop.present.selection import Selection, Span, Zone
from sptrader_desktop.settings import shipped


def three_weeks(timeframe: str) -> Candles:
    """Of March, in which New York's clocks change: every bar, the days as New York has them."""
    length = parse_timeframe(timeframe)
    if length == DAY_US:
        opens = [1_709_244_000_000_000]  # 22:00 UTC, 17:00 in New York
        while len(opens) < 21:
            opens.append(int(bar_closes(np.array(opens[-1:]), "1d")[0]))
        stamps = np.array(opens)
    else:
        stamps = np.arange(1_709_251_200_000_000, 1_709_251_200_000_000 + 21 * DAY_US, length)[:60_000]
    price = np.full(len(stamps), 110_000)
    return Candles(CATALOGUE["EURUSD"], timeframe, length, stamps, Prices(price, price, price, price))


@pytest.mark.parametrize("own", [name for name in USUAL if parse_timeframe(name) >= 60_000_000 and name != "1w"])
def test_the_timeframes_offered_are_those_that_resampling_can_make(own: str) -> None:
    candles, offered = three_weeks(own), timeframes_from(own)
    for timeframe in USUAL:
        if timeframe in offered[1:]:
            assert len(resample(candles, timeframe))
        elif parse_timeframe(timeframe) > candles.bar_us and len(candles) < 60_000:
            with pytest.raises(DataError):
                resample(candles, timeframe)
    assert offered[0] == own


PARAMS = st.dictionaries(
    st.text(st.characters(categories=["L"]), min_size=1),
    st.one_of(st.decimals(-(10**6), 10**6, places=4), st.booleans(), st.text(max_size=8)),
    max_size=4,
)
INDICATORS = st.lists(st.builds(ChartIndicator, st.just("indicators.trend.sma"), PARAMS), max_size=2)


@given(st.dictionaries(st.text(min_size=1), INDICATORS, max_size=3))
def test_templates_come_back_as_they_were_kept(made: dict[str, list[ChartIndicator]]) -> None:
    kept = {name: tuple(indicators) for name, indicators in made.items()}
    assert templates_read(json.loads(json.dumps(templates_written(kept)))) == kept


@pytest.mark.parametrize("held", [[], {"a": 1}, {"a": [{"indicator": 1, "numbers": {}, "others": {}}]}, {"a": [{"indicator": "x"}]}])
def test_templates_that_make_no_sense_are_refused(held: object) -> None:
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError)):
        templates_read(held)


def test_a_template_fits_itself_to_the_component_as_it_is_now() -> None:
    spec = load_catalogue(shipped("workspace")).indicator("sma")
    assert isinstance(spec, ComponentSpec)
    old = ChartIndicator(spec.dotted, {"period": Decimal(0), "gone": Decimal(1)})
    assert fitted(old, spec).params == {"period": Decimal(20)}
    assert fitted(ChartIndicator(spec.dotted, {"period": Decimal(7)}), spec).title == "SMA (7)"
    (row,) = indicator_rows(spec, {"period": Decimal(7)})
    assert row.number("12") == Decimal(12)
    with pytest.raises(ValueError, match="must be at least 1 and at most 10000"):
        row.number("0")


def test_linked_selections_follow_each_other_and_unlinked_ones_do_not() -> None:
    group, one, other = Selection(), Selection(), Selection()
    unlink = link(one, group)
    link(other, group)
    one.span.set(Span(1, 2))
    other.pointed.set(7)
    assert (other.span.value, one.pointed.value) == (Span(1, 2), 7)
    unlink()
    other.span.set(Span(3, 4))
    assert one.span.value == Span(1, 2)
    follow_zone(one, group)
    group.zone.set(Zone.NEW_YORK)
    assert one.zone.value is Zone.NEW_YORK


NOTHING: dict[str, Drawings] = {}
LINES: dict[str, Drawings] = {
    "EURUSD": (Drawing("horizontal", Corner(1, 2), Corner(1, 2), Decimal("0.00001")),),
    "USDJPY": (Drawing("trend", Corner(1, 2), Corner(3, 4), Decimal("0.001")),),
}


def test_what_is_kept_comes_back_from_the_disk(tmp_path: Path) -> None:
    store = JsonDocuments(tmp_path / "new folder")
    assert store.load("drawings", drawings_read, NOTHING) == ({}, ())
    store.save("drawings", drawings_written(LINES))
    assert JsonDocuments(tmp_path / "new folder").load("drawings", drawings_read, NOTHING) == (LINES, ())
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["drawings.json"], "nothing else is left lying about"


BROKEN = [
    b"",
    b"{",
    b"[]",
    b'{"schema": 1}',
    b'{"schema": 1, "held": {"EURUSD": [{"kind": "circle"}]}}',
    b'{"schema": null, "held": {}}',
    b'{"schema": 1e999, "held": {}}',
    b'{"schema": 1, "held": {"EURUSD": [{"kind": "trend", "start": [1%s, 1], "end": [2, 2]}]}}' % (b"0" * 30),
    b"\xff",
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_set_aside_and_one_begins_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "drawings.json").write_bytes(content)
    store = JsonDocuments(tmp_path)
    held, (notice,) = store.load("drawings", drawings_read, NOTHING)
    assert held == {}
    (aside,) = tmp_path.iterdir()
    assert aside.name.startswith("drawings.json.broken-")
    assert aside.read_bytes() == content
    assert str(aside) in notice
    store.save("drawings", drawings_written(LINES))
    assert store.load("drawings", drawings_read, NOTHING) == (LINES, ())


def test_lines_of_before_their_ticks_were_kept_are_of_what_is_built_in(tmp_path: Path) -> None:
    trend, level = {"kind": "trend", "start": [1, 2], "end": [3, 4]}, {"kind": "horizontal", "start": [1, 2], "end": [1, 2]}
    JsonDocuments(tmp_path).save("drawings", {"USDJPY": [trend], "OWN": [level]})
    own = Drawing("horizontal", Corner(1, 2), Corner(1, 2))
    assert JsonDocuments(tmp_path).load("drawings", drawings_read, NOTHING) == ({"USDJPY": LINES["USDJPY"], "OWN": (own,)}, ())
    assert own.in_ticks(Decimal("0.1")) == Drawing("horizontal", Corner(1, 2), Corner(1, 2), Decimal("0.1"))


def test_a_file_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    content = b'{"schema": 2, "held": "something new"}'
    (tmp_path / "drawings.json").write_bytes(content)
    store = JsonDocuments(tmp_path)
    held, (notice,) = store.load("drawings", drawings_read, NOTHING)
    assert held == {}
    assert "newer version" in notice
    store.save("drawings", drawings_written(LINES))
    assert (tmp_path / "drawings.json").read_bytes() == content


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"could not be written .*: make room or get the right to write there"):
        JsonDocuments(tmp_path / "file").save("drawings", {})


def test_a_writer_that_dies_in_the_middle_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JsonDocuments(tmp_path)
    store.save("drawings", drawings_written(LINES))
    monkeypatch.setattr(Path, "replace", lambda _self, _target: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DataError):
        store.save("drawings", {})
    monkeypatch.undo()
    assert store.load("drawings", drawings_read, NOTHING) == (LINES, ())
