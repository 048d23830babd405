"""The sliders: what a hand or a typed value does to the text, and that nothing else of it changes."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.present.strategy_numbers import SliderSpec, sliders
from sptrader_desktop.present.what_if import step_at, steps_of, typed, value_at, with_values
from sptrader_desktop.ui.what_if_panel import WhatIfPanel

STRATEGIES = sorted((Path(__file__).resolve().parents[2] / "strategies").glob("*.yaml"))


@pytest.fixture
def panel(qtbot: QtBot) -> WhatIfPanel:
    panel = WhatIfPanel()
    qtbot.addWidget(panel)
    text = examine_strategy(next(path for path in STRATEGIES if path.stem == "ma_crossover").read_text())
    panel.show_numbers(text, sliders(text))
    panel.show()
    return panel


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(STRATEGIES), st.data())
def test_turned_numbers_are_read_back_and_nothing_else_has_changed(path: Path, data: st.DataObject) -> None:
    text = examine_strategy(path.read_text())
    specs = sliders(text)
    turned = data.draw(st.lists(st.sampled_from(specs), min_size=1, unique_by=lambda spec: spec.path))
    values = {spec.path: value_at(spec, data.draw(st.integers(0, steps_of(spec)))) for spec in turned}
    other = examine_strategy(with_values(text, values))
    assert [value for _, value in other.scalars()] == [values.get(path, value) for path, value in text.scalars()]
    assert len(other.text.splitlines()) == len(text.text.splitlines())


@given(st.data())
@settings(max_examples=100)
def test_every_step_is_a_valid_value_and_a_value_as_shown_can_be_typed(data: st.DataObject) -> None:
    spec = data.draw(st.sampled_from(sliders(examine_strategy(data.draw(st.sampled_from(STRATEGIES)).read_text()))))
    step = data.draw(st.integers(0, steps_of(spec)))
    value = value_at(spec, step)
    assert spec.minimum <= value <= spec.maximum
    assert step_at(spec, value) == step
    assert typed(spec, spec.shown(value)) == value


def test_the_hand_moves_a_number_and_the_text_follows(panel: WhatIfPanel, qtbot: QtBot) -> None:
    row = next(row for row in panel.rows if row.spec.label == "fast_period")
    with qtbot.waitSignal(panel.turned) as told:
        QTest.keyClick(row.slider, Qt.Key.Key_Right)
    assert f"fast_period: {row.value}  " in told.args[0].replace("\n", "  ")
    assert row.value != Decimal(20)
    with qtbot.waitSignal(panel.forgotten):
        QTest.keyClick(row.slider, Qt.Key.Key_Left)
    assert row.value == Decimal(20)


def test_a_typed_value_counts_and_nonsense_does_not(panel: WhatIfPanel, qtbot: QtBot) -> None:
    row = next(row for row in panel.rows if row.spec.label == "stop_loss")
    beyond = f"must be from {row.spec.shown(row.spec.minimum)} to {row.spec.shown(row.spec.maximum)}"
    for words, value, stands, fault in (
        ("1.5 %", "0.015", "1.5 %", ""),
        ("banana", "0.015", "banana", "must be a number"),
        ("1,000", "0.015", "1,000", "a comma before three digits can be read two ways: write 1000 or 1.000"),
        ("99 %", "0.015", "99 %", beyond),
        ("", "0.015", "1.5 %", ""),
        ("1,000", "0.015", "1,000", "a comma before three digits can be read two ways: write 1000 or 1.000"),
        ("2 %", "0.02", "2 %", ""),
    ):
        row.field.selectAll()
        QTest.keyClicks(row.field, words) if words else row.field.clear()
        QTest.keyClick(row.field, Qt.Key.Key_Return)
        assert (row.value, row.field.text(), row.fault.text()) == (Decimal(value), stands, fault)
        assert row.fault.isVisible() == bool(fault)
    QTest.keyClicks(row.field, "x")
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    row.reset()
    assert (row.field.text(), row.fault.text()) == (row.spec.shown(row.spec.value), "")


def test_a_comma_is_a_decimal_point_and_not_where_it_may_group_thousands() -> None:
    spec = SliderSpec(("parameters", "lookback"), "lookback", Decimal(1000), Decimal(0), Decimal(4000), Decimal(10), is_whole=True)
    for words, fault in (("1,000", "can be read two ways"), ("2,5", "must be a whole number")):
        with pytest.raises(ValueError, match=fault):
            typed(spec, words)
    assert typed(replace(spec, is_whole=False), "0,125") == Decimal("0.125")


def test_apply_hands_over_the_text_and_reset_goes_back(panel: WhatIfPanel, qtbot: QtBot) -> None:
    row = panel.rows[0]
    row.slider.setValue(row.slider.value() + 3)
    apply, reset = (panel.findChild(type(panel._apply), name) for name in ("whatIfApplyButton", "whatIfResetButton"))
    assert apply
    assert reset
    with qtbot.waitSignal(panel.applyAsked) as told:
        QTest.mouseClick(apply, Qt.MouseButton.LeftButton)
    assert told.args == [panel.text()]
    with qtbot.waitSignal(panel.forgotten):
        QTest.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert not row.is_moved
    assert not apply.isEnabled()


def test_a_double_click_on_a_name_brings_its_number_back(panel: WhatIfPanel) -> None:
    row = panel.rows[0]
    row.slider.setValue(row.slider.value() + 3)
    moved = row.value
    QTest.mouseDClick(row.label, Qt.MouseButton.LeftButton)
    assert moved != row.value == row.spec.value


def test_a_slider_of_the_same_strategy_keeps_its_range(panel: WhatIfPanel) -> None:
    row, before = panel.rows[0], panel.rows[0].spec
    row.slider.setValue(row.slider.maximum())
    text = examine_strategy(panel.text())
    fresh = sliders(text)
    panel.show_numbers(text, sliders(text, before=[one.spec for one in panel.rows]))
    after = panel.rows[0].spec
    assert (after.minimum, after.maximum) == (before.minimum, before.maximum)
    assert after.value == before.maximum != before.value
    assert fresh[0].maximum != before.maximum, "without it the range would be another"


def test_only_what_takes_its_time_is_shown_as_work(panel: WhatIfPanel, qtbot: QtBot) -> None:
    panel.set_busy(True)
    assert not panel.busy.isVisible()
    qtbot.waitUntil(panel.busy.isVisible)
    panel.set_busy(False)
    assert not panel.busy.isVisible()
    panel.set_busy(True)
    panel.set_busy(False)
    assert not panel._waiting.isActive()


def test_the_numbers_of_the_next_run_take_the_place_of_these_in_the_same_rows(panel: WhatIfPanel) -> None:
    rows = panel.rows
    rows[0].slider.setValue(rows[0].slider.value() + 3)
    text = examine_strategy(panel.text())
    specs = sliders(text, before=[row.spec for row in rows])
    panel.show_numbers(text, specs)
    assert panel.rows is rows
    assert [row.spec for row in rows] == list(specs)
    assert [row.value for row in rows] == [spec.value for spec in specs]
    assert not any(row.is_moved for row in rows)
    fewer = examine_strategy(next(path for path in STRATEGIES if path.stem == "turtle_breakout").read_text())
    panel.show_numbers(fewer, sliders(fewer))
    assert [row.spec for row in panel.rows] == list(sliders(fewer))
