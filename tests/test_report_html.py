"""The exported page: whole in itself, true to the result, and safe whatever anybody called their strategy."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from sptrader_desktop.core.results import Result
from sptrader_desktop.present.report_html import html_report
from sptrader_desktop.present.report_pictures import drawdown_picture, equity_picture
from sptrader_desktop.present.result_json import render, result_document
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.trade_rows import trade_listing
from sptrader_desktop.present.trades_csv import trades_csv
from sptrader_desktop.runtime.manifest import make_manifest
from tests.small_runs import TEXT, runner, small_run
from tests.test_result_tables import SEEDS, market

HOSTILE = "</style></pre><script>alert('x')</script>\"'&<img src=x onerror=y>"
VOID = {"meta", "line", "polyline"}


class Page(HTMLParser):
    """Tags as they nest, and the texts between them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def document_of(result: Result) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(render(result_document(result, make_manifest(result.request, TEXT, runner()))))
    return read


def curve_of(result: Result) -> dict[str, list[int]]:
    return {"instant": result.outcome.instants.tolist(), "equity": result.outcome.equity.tolist()}


def page_of(result: Result, document: dict[str, Any] | None = None, text: str = TEXT) -> str:
    return html_report(document or document_of(result), curve_of(result), text)


def test_a_page_says_what_the_run_says() -> None:
    page = Page(page_of(small_run()))
    texts = page.texts
    assert "Net +12.20 USD (+0.12 %)" in texts
    assert "Between +12.20 and +62.20 USD; 1 of 4 trades ambiguous." in texts
    assert "From 10,000.00 to 10,012.20 USD; lowest 10,000.00, highest 10,029.30." in texts
    for cell in ("2?", "stop loss", "1.10300", "1.10100", "-20.70", "already in", "f00d", "parameter stop", "signals.cross"):
        assert any(cell in text for text in texts), cell
    assert TEXT.strip() in "".join(texts)
    assert texts.count("10,000") == 4, "the quantity of each trade"
    assert texts[texts.index("terms capital") + 1] == "10,000 USD"
    assert texts[texts.index("terms leverage") + 1] == "30 : 1"


def test_a_page_needs_nothing_from_anywhere_and_knows_dark() -> None:
    page = page_of(small_run())
    assert not re.search(r"(?:src|href|url|import|@font-face|https?:)\s*[=(:]", page.replace("img-src data:", ""))
    assert {tag for tag, _ in Page(page).tags} & {"script", "link", "img", "iframe", "object", "form", "a"} == set()
    assert "default-src 'none'" in page
    assert "prefers-color-scheme:dark" in page


def hostile(value: Any) -> Any:
    """Every text of a document that a person or a file could have chosen."""
    if isinstance(value, dict):
        return {HOSTILE if key in ("size", "stop", "signals.cross") else key: hostile(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner) for inner in value]
    return HOSTILE if isinstance(value, str) and not re.fullmatch(r"[-\d.]+|\d{4}-.*|USD|buy|sell", value) else value


def test_hostile_names_stay_words() -> None:
    result = small_run()
    document = document_of(result)
    document["manifest"] = hostile(document["manifest"]) | {"terms": hostile(document["manifest"]["terms"]) | {"currency": HOSTILE}}
    for rows in ("completed_trades", "order_decisions"):
        document[rows] = hostile(document[rows])
    for row in document["metrics"]["by_session"]:
        row["session"] = HOSTILE
    page = Page(page_of(result, document, HOSTILE))
    assert {tag for tag, _ in page.tags} & {"script", "img"} == set()
    assert [attributes for _, attributes in page.tags if "onerror" in attributes] == []
    assert sum(HOSTILE in text for text in page.texts) > 30


def test_every_market_makes_a_page() -> None:
    for seed in SEEDS:
        result, document = market(seed)
        whole = document | {"manifest": make_manifest(result.request, "name: x", runner())}
        page = Page(html_report(whole, curve_of(result), "name: x"))
        assert sum(tag == "polyline" for tag, _ in page.tags) == 2
        table = (
            next(number for number, (tag, attributes) in enumerate(page.tags) if attributes.get("class") == "trades")
            if document["completed_trades"]
            else 0
        )
        assert table or not document["completed_trades"]


def test_a_run_without_trades_makes_a_page() -> None:
    page = Page(page_of(small_run(crosses=())))
    assert "No trades." in page.texts
    assert "There are none." in page.texts


def test_pictures_lose_no_peak_and_stay_in_their_box() -> None:
    chance = np.random.default_rng(3)
    instants = np.arange(50_000) * 60_000_000
    equity = 10**12 + np.cumsum(chance.integers(-(10**8), 10**8, 50_000))
    equity[31_234] += 10**11
    for picture in (equity_picture(instants, equity, 10**12, "USD"), drawdown_picture(instants, equity, 10**12)):
        assert picture
        points = [tuple(map(float, point.split(","))) for point in re.findall(r'points="(.*?)"', picture.body)[0].split()]
        assert len(points) < 5000
        assert min(y for _, y in points) == 12.0
        assert max(y for _, y in points) <= 216.0
        assert all(96 <= x <= 900 for x, _ in points)
        assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert equity_picture(instants[:0], equity[:0], 10**12, "USD") is None


@pytest.mark.parametrize("seed", [1, 5])
def test_the_csv_holds_the_texts_of_the_json_result(seed: int) -> None:
    result, document = market(seed)
    rows = list(csv.DictReader(io.StringIO(trades_csv(document["completed_trades"]))))
    assert len(rows) == len(document["completed_trades"]) > 0
    table = trade_listing(result, Zone.UTC).table
    for number, (row, told) in enumerate(zip(rows, document["completed_trades"], strict=True)):
        assert row.keys() == told.keys()
        for key, value in told.items():
            assert row[key] == (str(value).lower() if isinstance(value, bool) else str(value))
            if key != "currency":
                assert table[key].exact(number) == row[key]
