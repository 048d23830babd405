"""Draws the README's picture from what the program prints about its sample: the same bytes for the same result.

    python packaging/make_picture.py [FILE]

Words are text set to the grid of a terminal, whatever font the reader has; the bars of the equity line are drawn.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from sptrader_desktop import compose
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "images" / "report.svg"
STRATEGY = ROOT / "strategies" / "ma_crossover.yaml"
CANDLES = ROOT / "workspace" / "data" / "EURUSD_1h_2024-01-02_2024-05-31.parquet"
COMMAND = "$ make run"
SHOWN_UNTIL = "Session"  # the first line that is not shown: what follows are more tables of the same kind

CELL, LINE, SIZE, MARGIN, BAR = 8, 19, 13, 24, 34
BLOCKS = "▁▂▃▄▅▆▇█"
GROUND, INK, DIM, ACCENT = "#14181f", "#d9dee7", "#8b95a7", "#6fb1ff"


def sample_report() -> str:
    settings = load_settings()
    recipe = Recipe(str(STRATEGY), (str(CANDLES),))
    read = compose.strategy_of(recipe, settings)
    compose.ready_engine(settings, print)
    result, _ = compose.run_prepared(compose.prepare(recipe, settings, read))
    return compose.report_text(result)


def shown_lines(report: str) -> list[str]:
    lines = report.splitlines()
    end = next(number for number, line in enumerate(lines) if line.startswith(SHOWN_UNTIL))
    return [COMMAND, "", *lines[:end]]


def picture(report: str) -> str:
    lines = shown_lines(report)
    while not lines[-1]:
        lines.pop()
    columns = max(map(len, lines))
    width, height = 2 * MARGIN + columns * CELL, BAR + MARGIN + len(lines) * LINE
    body = [element for row, line in enumerate(lines) for element in drawn(line, row)]
    return "\n".join([*frame(width, height), *body, "</svg>"]) + "\n"


def frame(width: int, height: int) -> Iterator[str]:
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    yield "<title>What make run prints: the report of the sample backtest</title>"
    font = f"{SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
    yield f"<style>text {{ font: {font}; fill: {INK}; white-space: pre }} .dim {{ fill: {DIM} }} .top {{ font-weight: 600 }}</style>"
    yield f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>'
    for number in range(3):
        yield f'<circle cx="{MARGIN - 4 + 18 * number}" cy="17" r="5" fill="{DIM}" opacity="0.5"/>'


def drawn(line: str, row: int) -> Iterator[str]:
    """Rules and bars as shapes, every run of words at its own column."""
    base = BAR + LINE * row + 14
    if set(line) == {"─"}:
        yield f'<rect x="{MARGIN}" y="{base - 5}" width="{CELL * len(line)}" height="1" fill="{DIM}"/>'
        return
    for found in re.finditer(r"\S+(?: \S+)*", line):
        if set(found[0]) <= set(BLOCKS):
            yield from bars(found[0], found.start(), base)
        else:
            yield words(found[0], found.start(), base, row)


def words(text: str, column: int, base: int, row: int) -> str:
    kind = ' class="dim"' if row == 0 else ' class="top"' if row == 2 else ""
    length = f'textLength="{CELL * len(text)}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{MARGIN + CELL * column}" y="{base}" {length}{kind}>{escape(text)}</text>'


def bars(blocks: Sequence[str], column: int, base: int) -> Iterator[str]:
    """A bar is as many eighths of the line high as its letter says."""
    for number, block in enumerate(blocks):
        left, height = MARGIN + CELL * (column + number), 2 * (BLOCKS.index(block) + 1)
        yield f'<rect x="{left}" y="{base + 2 - height}" width="{CELL - 1}" height="{height}" fill="{ACCENT}"/>'


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.write_text(picture(sample_report()), encoding="utf-8")
    print(target)
