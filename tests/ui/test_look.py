"""What everything looks like: colours that can be read by everybody, numerals of one width, and no literal outside the theme."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import pytest
from PySide6.QtGui import QFontInfo, QFontMetricsF
from PySide6.QtWidgets import QApplication

from sptrader_desktop.ui.theme import tokens
from sptrader_desktop.ui.theme.fonts import load_fonts
from sptrader_desktop.ui.theme.look import Look, look
from tests.ui.colour_sums import contrast, difference

ROOT = Path(__file__).resolve().parent.parent.parent
UI = ROOT / "sptrader_desktop" / "ui"

SWITCHES = list(product([True, False], repeat=3))
EIGHT = [tokens.colours(dark=dark, colour_blind=blind, red_up=red) for dark, blind, red in SWITCHES]
eight = pytest.mark.parametrize("colours", EIGHT, ids=["-".join(str(int(switch)) for switch in switches) for switches in SWITCHES])

SURFACES = ("window", "panel", "raised", "field", "hover", "selected")
PLAIN = ("window", "panel", "raised", "field")

Pairs = set[tuple[str, str]]


def fainter_than(least: float, roles: tuple[str, ...], surfaces: tuple[str, ...], colours: tokens.Colours) -> Pairs:
    return {(r, s) for r in roles for s in surfaces if contrast(getattr(colours, r), getattr(colours, s)) < least}


@eight
def test_text_is_read_on_every_surface_it_is_used_on(colours: tokens.Colours) -> None:
    assert fainter_than(4.5, ("text", "muted"), SURFACES, colours) == set()
    assert fainter_than(4.5, ("accent", "up", "down", "warning", "danger"), (*PLAIN, "hover"), colours) == set()
    assert contrast(colours.on_accent, colours.accent) >= 4.5


@eight
def test_edges_rings_and_marks_stand_out_from_what_is_beside_them(colours: tokens.Colours) -> None:
    assert fainter_than(3, ("edge",), PLAIN, colours) == set()
    assert fainter_than(3, ("accent", "up", "down", "warning", "danger"), SURFACES, colours) == set()
    assert contrast(colours.text, colours.accent) > 1.5
    assert [line for line in colours.series if contrast(line, colours.field) < 3] == []


@eight
def test_up_and_down_and_lines_are_told_apart_without_one_of_the_cones(colours: tokens.Colours) -> None:
    for missing in ("protan", "deutan"):
        assert difference(colours.up, colours.down, missing) >= 20
        assert {pair for pair in combinations(colours.series[:4], 2) if difference(*pair, missing) < 10} == set()


def test_a_pale_grey_and_a_red_beside_a_green_would_be_noticed() -> None:
    assert contrast("#777777", "#ffffff") < 4.5 < contrast("#767676", "#ffffff")
    assert difference("#9a6a3c", "#6f7a3c", "deutan") < 20 < difference("#0067a8", "#a84a00", "deutan")


def test_the_switches_change_what_they_say_and_nothing_else() -> None:
    plain, swapped = tokens.colours(dark=True), tokens.colours(dark=True, red_up=True)
    assert (plain.up, plain.down) == (swapped.down, swapped.up)
    assert len({(colours.up, colours.down) for colours in EIGHT}) == 8
    for colours in EIGHT:
        same = tokens.DARK if colours.window == tokens.DARK.window else tokens.LIGHT
        changed = {role for role in tokens.ROLES if getattr(colours, role) != getattr(same, role)}
        assert changed <= {"up", "down", "warning"}


# Fonts


@pytest.fixture
def application(qapp: QApplication) -> QApplication:
    assert load_fonts() >= {"Inter", "JetBrains Mono"}
    return qapp


def test_text_is_set_in_the_fonts_that_travel_along(application: QApplication) -> None:
    for fixed, family in ((False, "Inter"), (True, "JetBrains Mono")):
        for size in (tokens.SMALL, tokens.BODY, tokens.TITLE):
            found = QFontInfo(look().font(size, fixed=fixed))
            assert (found.family(), found.pixelSize()) == (family, size)
    assert QFontInfo(look().font(bold=True)).weight() == 600


@pytest.mark.parametrize("bold", [True, False])
def test_numerals_have_one_width_so_that_columns_stand_still(application: QApplication, bold: bool) -> None:
    plain = look().font(bold=bold)
    plain.clearFeatures()
    for metrics, is_even in ((QFontMetricsF(look().font(bold=bold)), True), (QFontMetricsF(plain), False)):
        widths = [metrics.horizontalAdvance(digit * 8) for digit in "0123456789"]
        assert (max(widths) - min(widths) < 0.25) is is_even


def test_every_sign_we_use_is_in_the_font(application: QApplication) -> None:
    metrics = QFontMetricsF(look().font())
    assert [sign for sign in "▲▼✓✗−–—…←→↑↓⌘⌥⇧⌃⏎•·×÷±≤≥≠≈€£¥$%µσΔα" if not metrics.inFontUcs4(ord(sign))] == []


@pytest.mark.parametrize("bold", [False, True])
def test_a_text_is_as_wide_as_it_is_painted(application: QApplication, bold: bool) -> None:
    for scaled in (look(), replace(look(), scale=1.5)):
        for text in ("1.08425", "Equity", "Fri 31"):
            assert scaled.width(text, tokens.SMALL, bold=bold) == QFontMetricsF(scaled.font(tokens.SMALL, bold=bold)).horizontalAdvance(
                text
            )


def test_a_larger_look_has_larger_text_in_proportion() -> None:
    larger = Look(tokens.LIGHT, is_dark=False, scale=1.5)
    assert [larger.font(size).pixelSize() for size in (tokens.SMALL, tokens.BODY, tokens.TITLE)] == [16, 20, 26]
    assert larger.pixels(tokens.GRID) == 6


# Literals


def literals(source: str) -> Iterator[str]:
    """What a widget must not decide for itself: a colour, the size of text, a font, a distance off the grid."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=str(text)) if re.search(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b|\brgba?\(", text):
                yield f"{node.lineno}: the colour {text!r}"
            case ast.Attribute(value=ast.Attribute(attr="GlobalColor"), attr=name) if name != "transparent":
                yield f"{node.lineno}: the colour {name}"
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                yield from (f"{node.lineno}: {name}({ast.unparse(value)})" for value in node.args if is_forbidden(name, value))


SIZES = {"setPixelSize", "setPointSize", "setPointSizeF", "setContentsMargins", "setSpacing", "setHorizontalSpacing", "setVerticalSpacing"}


def is_forbidden(name: str, value: ast.expr) -> bool:
    match name, value:
        case "QColor", ast.Constant():
            return True
        case "QFont" | "setFamily", ast.Constant(value=str()):
            return True
        case "setStyleSheet", _:
            return True
        case _, ast.Constant(value=int() | float() as number):
            return name in SIZES and number != 0
    return False


def test_no_file_of_the_window_but_the_theme_holds_a_colour_a_size_or_a_font() -> None:
    files = [path for path in UI.rglob("*.py") if not path.is_relative_to(UI / "theme")]
    found = {str(path.relative_to(UI)): list(literals(path.read_text(encoding="utf-8"))) for path in files}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "pen = '#ff0000'",
        "label.setText('<b style=\"color: #ff0000\">')",
        "QColor(1, 2, 3)",
        "QtGui.QColor('red')",
        "pen.setColor(Qt.GlobalColor.red)",
        "font.setPixelSize(12)",
        "QFont('Arial')",
        "layout.setContentsMargins(0, 5, 0, 0)",
        "layout.setSpacing(6)",
        "button.setStyleSheet(text)",
    ],
)
def test_a_literal_is_found_wherever_it_hides(line: str) -> None:
    assert list(literals(line)) != []


@pytest.mark.parametrize(
    "line",
    ["layout.setContentsMargins(0, GRID, 0, 0)", "look().colour('up')", "Qt.GlobalColor.transparent", "text = 'run #12'", "QColor(other)"],
)
def test_what_comes_from_the_tokens_is_left_alone(line: str) -> None:
    assert list(literals(line)) == []
