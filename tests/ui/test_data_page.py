"""The Data page as a person uses it: real files, a real PostgreSQL, a vendor's server on this machine, real clicks and keys."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QTableWidget,
    QWidget,
)

from sptrader_desktop import compose_data
from sptrader_desktop.adapters import http_fetch
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.adapters.postgres_candles import PostgresCandles
from sptrader_desktop.adapters.postgres_server import PostgresServer
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.present.datasets import DatasetRow
from sptrader_desktop.present.selection import BarAt, Zone
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_page import DataPage
from sptrader_desktop.ui.desk import Series
from tests.http_servers import Answer, Asked, serving
from tests.kept_candles import hourly
from tests.servers import own_settings
from tests.test_download_dukascopy import vendor
from tests.ui.data_pages import DrivenPage, driven_page
from tests.vendor_files import SPRING, market, metatrader_5, price, written

W = TypeVar("W", bound=QWidget)
BARS = market(SPRING, weeks=4)
EET = ZoneInfo("Europe/Athens")
SAMPLE = "EURUSD_1h_2024-01-02_2024-05-31.parquet"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("data page")
    return replace(own_settings(), workspace=home / "workspace", candles=home / "candles", downloads=home / "downloads")


@pytest.fixture(scope="module")
def opened(qapp: QApplication, settings: Settings) -> Iterator[DrivenPage]:
    with driven_page(qapp, settings) as driven:
        driven.settle()
        yield driven


@pytest.fixture
def page(opened: DrivenPage, monkeypatch: pytest.MonkeyPatch) -> DataPage:
    monkeypatch.setattr(http_fetch, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(compose_data, "BETWEEN_REQUESTS", 0.0)
    opened.settle()
    return opened.page


def go_to(opened: DrivenPage, title: str) -> None:
    """By a click on its tab."""
    bar = opened.page.tabs.tabBar()
    place = next(at for at in range(bar.count()) if bar.tabText(at) == title)
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(place).center())


def press(opened: DrivenPage, name: str) -> None:
    opened.click(opened.find(QPushButton, name))
    opened.settle()


def pick(opened: DrivenPage, name: str, words: str) -> None:
    """By the keyboard, as one does who knows the list."""
    box = opened.find(QComboBox, name)
    box.setFocus()
    place = box.findText(words)
    assert place >= 0, f"{name} offers no {words}"
    while box.currentIndex() != place:
        QTest.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < place else Qt.Key.Key_Up)
    opened.settle()


def type_into(opened: DrivenPage, name: str, text: str, kind: type[QLineEdit] = QLineEdit) -> QLineEdit:
    field = opened.find(kind, name)
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)
    return field


def said(opened: DrivenPage, name: str) -> str:
    return opened.find(QWidget, f"{name}Said").accessibleName()


def choose(opened: DrivenPage, place: str) -> DatasetRow:
    """By a click on its row; `place` is where it is kept."""
    panel = opened.page.datasets
    go_to(opened, "Datasets")
    at = next(at for at, row in enumerate(panel.rows) if row.place == place)
    view = panel.table.view
    index = panel.table.model.index(panel.table.model.row_of(at), 0)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())
    found = panel.chosen()
    assert found is not None
    assert found.place == place
    return found


def cell(table: QTableWidget, row: int, column: int) -> str:
    found = table.item(row, column)
    assert found is not None
    return found.text()


# The list


def test_the_sample_is_listed_with_its_bars_its_coverage_and_that_it_is_made_up(page: DataPage, opened: DrivenPage) -> None:
    row = choose(opened, SAMPLE)
    candles = load_candles(opened.desk.folder() / SAMPLE)
    assert (row.symbol, row.timeframe, row.side, row.rows) == ("EURUSD", "1h", "bid", len(candles))
    assert (row.first, row.last) == (int(candles.timestamp[0]), int(candles.timestamp[-1]))
    assert row.coverage == 1.0
    assert row.is_synthetic
    assert row.bytes == (opened.desk.folder() / SAMPLE).stat().st_size
    assert page.datasets.details.text().endswith("coverage 100.00 % · synthetic, no market data")


def test_times_are_told_in_the_zone_that_is_chosen(page: DataPage, opened: DrivenPage) -> None:
    table = page.datasets.table.model.table
    assert table["first"].text(0) == "2024-01-02 00:00"
    opened.selection.zone.set(Zone.NEW_YORK)
    table = page.datasets.table.model.table
    assert (table["first"].header, table["first"].text(0)) == ("First bar New York", "2024-01-01 19:00")
    opened.selection.zone.set(Zone.UTC)


def test_return_on_a_row_asks_for_its_chart(page: DataPage, opened: DrivenPage) -> None:
    asked: list[Series] = []
    page.seriesAsked.connect(asked.append)
    row = choose(opened, SAMPLE)
    QTest.keyClick(page.datasets.table.view, Qt.Key.Key_Return)
    press(opened, "datasetOpenButton")
    page.seriesAsked.disconnect(asked.append)
    assert asked == [Series("EURUSD", "1h", row.path)] * 2


def test_a_file_that_cannot_be_read_is_listed_with_the_reason_and_offers_no_chart(page: DataPage, opened: DrivenPage) -> None:
    broken = opened.desk.folder() / "USDJPY_1h_broken.parquet"
    broken.write_bytes(b"no parquet")
    press(opened, "datasetsRefreshButton")
    row = choose(opened, broken.name)
    assert "this is not a readable Parquet file" in page.datasets.details.text()
    assert str(broken) not in page.datasets.details.text()
    assert row.rows is None
    assert not page.datasets.open.isEnabled()
    press(opened, "datasetDeleteButton")
    assert not broken.exists()
    assert said(opened, "datasets").startswith("USDJPY_1h_broken.parquet is in the trash")
    assert broken.name not in {item.place for item in page.datasets.rows}
    trash = Path(os.environ["XDG_DATA_HOME"]) / "Trash" / "files"
    assert (trash / broken.name).read_bytes() == b"no parquet"


def test_the_catalogue_is_only_deleted_from_when_its_name_was_typed(page: DataPage, opened: DrivenPage, settings: Settings) -> None:
    catalogue = CandleCatalogue(settings.candles)
    catalogue.keep(hourly(range(200), symbol="AUDUSD"))
    catalogue.keep(hourly(range(40), symbol="NZDUSD"))
    press(opened, "datasetsRefreshButton")
    at = next(at for at, item in enumerate(page.datasets.rows) if item.name == "AUDUSD 1h bid")
    page.datasets.table.choose(at)
    press(opened, "datasetDeleteButton")
    assert len(catalogue.datasets()) == 2, "nothing is deleted by the first click"
    type_into(opened, "deleteName", "AUDUSD 1h")
    assert not opened.find(QPushButton, "deleteConfirmButton").isEnabled()
    QTest.keyClick(opened.find(QLineEdit, "deleteName"), Qt.Key.Key_Return)
    opened.settle()
    assert len(catalogue.datasets()) == 2, "half a name is none"
    type_into(opened, "deleteName", "AUDUSD 1h bid")
    press(opened, "deleteConfirmButton")
    assert [item.symbol for item in catalogue.datasets()] == ["NZDUSD"]
    assert said(opened, "datasets") == "Deleted from the catalogue: AUDUSD 1h bid, 200 bars"
    catalogue.remove("NZDUSD", "1h", "bid")
    press(opened, "datasetsRefreshButton")


@pytest.mark.parametrize(("timeframe", "place"), [("4h", "Catalogue"), ("1d", "New file")])
def test_longer_candles_are_made_of_a_dataset(page: DataPage, opened: DrivenPage, settings: Settings, timeframe: str, place: str) -> None:
    row = choose(opened, SAMPLE)
    pick(opened, "resampleTimeframe", timeframe)
    pick(opened, "resamplePlace", place)
    press(opened, "resampleButton")
    expected = compose_data.resampled(Path(row.path), timeframe)
    assert f"of EURUSD {timeframe}" in said(opened, "datasets")
    if place == "Catalogue":
        kept = CandleCatalogue(settings.candles).candles(CandleRequest("EURUSD", timeframe))
    else:
        kept = load_candles(next(opened.desk.folder().glob(f"EURUSD_{timeframe}_*.parquet")))
    assert kept.timestamp.tolist() == expected.timestamp.tolist()
    assert kept.prices.close.tolist() == expected.prices.close.tolist()
    assert kept.is_synthetic
    assert any(item.timeframe == timeframe and item.is_synthetic for item in page.datasets.rows), "the list shows it at once"


# Import


def test_a_file_that_is_dropped_is_shown_and_kept_only_when_told(
    page: DataPage, opened: DrivenPage, settings: Settings, tmp_path: Path
) -> None:
    path = written(tmp_path, metatrader_5(BARS, EET), "GBPUSD export.csv")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, mime, buttons, keys)
    page.dragEnterEvent(entered)
    assert entered.isAccepted()
    page.dropEvent(QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, mime, buttons, keys))
    opened.settle()
    panel = page.imports
    assert page.tabs.currentWidget() is panel
    assert panel.lines.toPlainText().startswith(" 1  <DATE>")
    assert cell(panel.understood, 0, 4) == price(BARS[0].close)
    assert opened.find(QComboBox, "columnRole5").currentText() == "Close"
    assert not [item for item in CandleCatalogue(settings.candles).datasets() if item.symbol == "GBPUSD"]
    press(opened, "importKeepButton")
    assert "kept in the catalogue" in said(opened, "import")
    kept = CandleCatalogue(settings.candles).candles(CandleRequest("GBPUSD", "1h"))
    assert kept.prices.close.tolist() == [bar.close for bar in BARS]
    assert any(row.symbol == "GBPUSD" and row.where == "catalogue" for row in page.datasets.rows)


def test_what_is_asked_is_marked_and_every_answer_changes_the_preview(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    page.open_file(written(tmp_path, metatrader_5(BARS[30:50], EET), "EURUSD few.csv"))
    opened.settle()
    zone = opened.find(QComboBox, "importZone")
    assert zone.property("tone") == "warning"
    assert "say it, for example Time zone UTC" in said(opened, "import")
    assert not page.imports.keep.isEnabled()
    pick(opened, "importZone", "EET")
    assert zone.property("tone") == ""
    assert cell(page.imports.understood, 0, 0) == f"{BARS[30].opens:%Y-%m-%d %H:%M}"
    pick(opened, "importZone", "UTC")
    assert cell(page.imports.understood, 0, 0) == f"{BARS[30].opens.astimezone(EET):%Y-%m-%d %H:%M}"
    assert page.imports.keep.isEnabled()
    typed = zone.lineEdit()
    assert typed is not None
    typed.selectAll()
    QTest.keyClicks(typed, "Nowhere/City")
    QTest.keyClick(typed, Qt.Key.Key_Return)
    opened.settle()
    assert "there is no such time zone" in said(opened, "import")
    assert not page.imports.keep.isEnabled()


def test_an_unknown_table_is_mapped_column_by_column(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    rows = [f"{bar.opens:%Y-%m-%d %H:%M};{price(bar.open)};{price(bar.high)};{price(bar.low)};{price(bar.close)}" for bar in BARS]
    page.open_file(written(tmp_path, "Wann;Erster;Hoch;Tief;Letzter\n" + "\n".join(rows), "EURUSD fremd.csv"))
    opened.settle()
    assert "choose what each column holds" in said(opened, "import")
    for at, words in enumerate(("Time of the bar", "Open", "High", "Low", "Close")):
        pick(opened, f"columnRole{at}", words)
    pick(opened, "importZone", "UTC")
    assert page.imports.keep.isEnabled()
    assert page.imports.preview is not None
    assert page.imports.preview.candles.prices.high.tolist() == [bar.high for bar in BARS]
    pick(opened, "columnRole2", "Low")
    assert said(opened, "import") == "Two columns are said to hold this: Low. Choose what each of them holds"
    assert not page.imports.keep.isEnabled()
    pick(opened, "columnRole2", "not used")
    assert "hold the high" in said(opened, "import")


def test_a_refused_row_is_told_with_line_value_and_rule_and_marked_in_the_text(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    lines = metatrader_5(BARS, EET).splitlines()
    lines[200] = lines[200].replace("\t1.", "\t-1.", 1)
    page.open_file(written(tmp_path, "\n".join(lines)))
    opened.settle()
    assert said(opened, "import").startswith("Line 201 (")
    assert "is not above zero: mend or remove the row" in said(opened, "import")
    (marked,) = page.imports.lines.extraSelections()
    assert marked.cursor.block().text().split()[0] == "201"
    assert not page.imports.keep.isEnabled()
    assert not page.imports.understood.isVisible()


def test_bars_that_differ_replace_others_only_when_that_is_ticked(
    page: DataPage, opened: DrivenPage, settings: Settings, tmp_path: Path
) -> None:
    catalogue = CandleCatalogue(settings.candles)
    changed = [replace(bar, close=bar.low) for bar in BARS]
    for bars, name in ((BARS, "USDCAD a.csv"), (changed, "USDCAD b.csv")):
        page.open_file(written(tmp_path, metatrader_5(bars, EET), name))
        opened.settle()
        press(opened, "importKeepButton")
    assert "differ from those the catalogue holds" in said(opened, "import")
    assert "--" not in said(opened, "import")
    assert catalogue.candles(CandleRequest("USDCAD", "1h")).prices.close.tolist() == [bar.close for bar in BARS]
    opened.click(page.imports.replace)
    page.imports.replace.setChecked(True)
    press(opened, "importKeepButton")
    assert catalogue.candles(CandleRequest("USDCAD", "1h")).prices.close.tolist() == [bar.close for bar in changed]


def test_an_import_that_is_stopped_keeps_nothing_and_the_page_is_free_at_once(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    page.open_file(written(tmp_path, metatrader_5(market(SPRING, 30, 5), EET), "EURUSD long.csv"))
    opened.click(opened.find(QPushButton, "importCancel"))
    assert said(opened, "import") == "Stopped; nothing was kept"
    assert not page.imports.foot.is_at_work
    opened.settle()
    assert page.imports.preview is None or page.imports.preview.path.endswith("b.csv")
    assert not page.imports.keep.isEnabled()


# The doctor


@pytest.fixture(scope="module")
def holed(opened: DrivenPage) -> Path:
    """The sample without a week, half a day, and with one row upside down."""
    source = opened.desk.folder() / SAMPLE
    table = pq.read_table(source)
    keep = np.ones(table.num_rows, bool)
    keep[600:720] = keep[1000:1012] = False
    columns = {name: table[name].to_numpy().copy() for name in table.column_names if name != "timestamp"}
    columns["high"][1500], columns["low"][1500] = columns["low"][1500], columns["high"][1500]
    path = opened.desk.folder() / "EURUSD_1h_holed.parquet"
    pq.write_table(pa.table({"timestamp": table["timestamp"], **columns}).filter(pa.array(keep)), path)
    opened.page.datasets.refresh()
    opened.settle()
    return path


@pytest.fixture
def examined(page: DataPage, opened: DrivenPage, holed: Path) -> DataPage:
    choose(opened, holed.name)
    press(opened, "datasetInspectButton")
    assert page.tabs.currentWidget() is page.doctor
    page.doctor.tabs.setCurrentIndex(0)
    page.doctor.picture.grab()
    return page


def test_the_calendar_tells_every_day_to_pointer_and_keys(examined: DataPage) -> None:
    picture, doctored = examined.doctor.picture, examined.doctor.doctored
    assert doctored is not None
    empty = int(np.flatnonzero((doctored.days.expected > 0) & (doctored.days.present == 0))[0])
    QTest.mouseMove(picture, picture.place_of(empty).toPoint())
    assert "0 of 24 bars (0.0 %)" in picture.said
    picture.setFocus()
    picture.point_at_day(int(doctored.days.days[empty]))
    week_before = str(np.datetime64(int(doctored.days.days[empty]) - 7, "D"))
    QTest.keyClick(picture, Qt.Key.Key_Left)
    assert week_before in picture.said
    QTest.keyClick(picture, Qt.Key.Key_Down)
    assert str(np.datetime64(int(doctored.days.days[empty]) - 6, "D")) in picture.said
    assert picture.accessibleDescription() == picture.said


def test_a_click_on_a_day_asks_for_the_chart_there(examined: DataPage, holed: Path) -> None:
    asked: list[tuple[Series, BarAt]] = []

    def hear(series: Series, bar: BarAt) -> None:
        asked.append((series, bar))

    examined.barAsked.connect(hear)
    doctored = examined.doctor.doctored
    assert doctored is not None
    place = int(np.flatnonzero(doctored.days.present == 24)[40])
    QTest.mouseClick(examined.doctor.picture, Qt.MouseButton.LeftButton, pos=examined.doctor.picture.place_of(place).toPoint())
    examined.barAsked.disconnect(hear)
    assert asked == [(Series("EURUSD", "1h", str(holed)), BarAt("EURUSD", int(doctored.days.opens[place])))]


def test_findings_are_listed_and_only_what_is_ticked_is_mended_in_a_new_file(examined: DataPage, opened: DrivenPage, holed: Path) -> None:
    doctor = examined.doctor
    kinds = doctor.findings.model.table["kind"]
    assert {kinds.text(row) for row in range(len(kinds.values))} >= {"swapped", "hole"}
    assert doctor.verdict.text().startswith("Refused: no backtest takes it before this is settled: swapped")
    before = holed.read_bytes()
    press(opened, "repairButton")
    assert said(opened, "doctor") == "Tick what is to be mended, or set the clock"
    opened.click(doctor.fixes["swapped"])
    doctor.fixes["swapped"].setChecked(True)
    press(opened, "repairButton")
    mended = holed.with_name("EURUSD_1h_holed_mended.parquet")
    assert holed.read_bytes() == before
    assert len(load_candles(mended)) == pq.read_metadata(holed).num_rows
    assert "(swapped 2)" in said(opened, "doctor")
    assert {cell(doctor.ledger, row, 2) for row in range(doctor.ledger.rowCount())} == {"high", "low"}
    assert mended.name in {row.place for row in examined.datasets.rows}
    press(opened, "repairButton")
    assert "exists and is not overwritten" in said(opened, "doctor")


def test_a_series_of_the_catalogue_is_examined_but_not_mended(page: DataPage, opened: DrivenPage) -> None:
    row = next(row for row in page.datasets.rows if row.symbol == "GBPUSD" and row.where == "catalogue")
    page.examine(row)
    opened.settle()
    assert page.doctor.doctored is not None
    assert page.doctor.doctored.inspection.rows == len(BARS)
    assert not page.doctor.mend.isEnabled()


# Download


def ask_download(opened: DrivenPage, url: str, timeframe: str = "1m", place: str = "Catalogue") -> None:
    go_to(opened, "Download")
    pick(opened, "downloadTimeframe", timeframe)
    if timeframe != "Ticks":
        pick(opened, "downloadPlace", place)
    for name, text in (("downloadFrom", "2014-05-02"), ("downloadTo", "2014-05-05"), ("downloadAddress", url)):
        type_into(opened, name, text)


def test_history_is_fetched_into_the_catalogue_and_fetched_once(page: DataPage, opened: DrivenPage, settings: Settings) -> None:
    with serving(vendor) as server:
        ask_download(opened, server.url)
        assert "terms of use" in page.downloads.terms.text()
        press(opened, "downloadButton")
        assert "4 files of dukascopy, 4 fetched now" in said(opened, "download")
        asked = len(server.asked)
        press(opened, "downloadButton")
        assert "4 files of dukascopy, 0 fetched now" in said(opened, "download")
        assert len(server.asked) == asked
    kept = CandleCatalogue(settings.candles).candles(CandleRequest("EURUSD", "1m"))
    assert f"{len(kept):,} bars of EURUSD 1m" in said(opened, "download")
    assert any(row.timeframe == "1m" and row.has_ask for row in page.datasets.rows)


def test_a_download_that_is_stopped_goes_on_where_it_was(page: DataPage, opened: DrivenPage, settings: Settings) -> None:
    def slowly(asked: Asked) -> Answer:
        return replace(vendor(asked), hangs=0.3 if len(fetched(settings)) >= 5 else 0.0)

    with serving(slowly) as server:
        ask_download(opened, server.url, "Ticks")
        opened.click(opened.find(QPushButton, "downloadButton"))
        opened.until(lambda: len(fetched(settings)) >= 5, "some files")
        assert not page.downloads.fetch.isEnabled()
        opened.click(opened.find(QPushButton, "downloadCancel"))
        assert said(opened, "download").startswith("Stopped; the files that were fetched are kept")
        assert page.downloads.fetch.isEnabled()
        opened.settle()
        there, asked = len(fetched(settings)), len(server.asked)
    with serving(vendor) as server:
        ask_download(opened, server.url, "Ticks")
        press(opened, "downloadButton")
        assert "quotes of EURUSD kept in EURUSD_tick_" in said(opened, "download")
        assert len(server.asked) <= 27 - there
        assert asked <= there + 1
    row = next(row for row in page.datasets.rows if row.timeframe == "tick")
    choose(opened, row.place)
    assert not page.datasets.open.isEnabled(), "quotes are no candles"
    pick(opened, "resampleTimeframe", "5m")
    press(opened, "resampleButton")
    assert "of EURUSD 5m" in said(opened, "datasets")


def fetched(settings: Settings) -> list[Path]:
    return list((settings.downloads / "dukascopy").rglob("*h_ticks.bi5"))


def test_a_range_that_is_none_and_a_vendor_that_is_away_are_told(page: DataPage, opened: DrivenPage) -> None:
    with serving(lambda _: Answer(403)) as server:
        ask_download(opened, server.url, "1h")
        type_into(opened, "downloadTo", "2014-05-01")
        press(opened, "downloadButton")
        assert said(opened, "download") == "The range is empty: From must lie before To"
        type_into(opened, "downloadTo", "tomorrow")
        press(opened, "downloadButton")
        assert said(opened, "download").startswith("To tomorrow: give a date like")
        type_into(opened, "downloadTo", "2014-05-05")
        press(opened, "downloadButton")
        assert "the server answered 403" in said(opened, "download")
    assert page.downloads.fetch.isEnabled()


# PostgreSQL


def parts_of(server: PostgresServer) -> dict[str, str]:
    return dict(part.split("=", 1) for part in server.address.split())


def fill_parts(opened: DrivenPage, server: PostgresServer, **more: str) -> None:
    go_to(opened, "PostgreSQL")
    opened.click(opened.find(QRadioButton, "databaseByParts"))
    opened.find(QRadioButton, "databaseByParts").setChecked(True)
    parts = parts_of(server) | more
    for name, key in (("databaseHost", "host"), ("databaseName", "dbname"), ("databaseUser", "user"), ("databasePassword", "password")):
        type_into(opened, name, parts.get(key, ""))


def test_a_server_is_tested_used_filled_and_listed(page: DataPage, opened: DrivenPage, postgres: PostgresServer) -> None:
    fill_parts(opened, postgres)
    press(opened, "databaseTestButton")
    assert said(opened, "database").startswith("PostgreSQL 1")
    assert "no TimescaleDB" in said(opened, "database")
    assert "has no tables of candles yet" in said(opened, "database")
    with postgres.connect() as connection:
        assert connection.execute("SELECT to_regclass('sptrader.series')").fetchone() == (None,), "a test changes nothing"
    assert not page.database.load_button.isEnabled()
    press(opened, "databaseUseButton")
    assert opened.used[-1].startswith("postgresql://")
    page.database.load([opened.desk.folder() / SAMPLE])
    opened.settle()
    assert "bars of EURUSD 1h kept in" in said(opened, "database")
    assert [item.symbol for item in PostgresCandles(postgres).datasets()] == ["EURUSD"]
    row = choose(opened, "PostgreSQL")
    assert (row.symbol, row.rows) == ("EURUSD", pq.read_metadata(opened.desk.folder() / SAMPLE).num_rows)
    asked: list[Series] = []
    page.seriesAsked.connect(asked.append)
    press(opened, "datasetOpenButton")
    page.seriesAsked.disconnect(asked.append)
    assert asked == [Series("EURUSD", "1h", source="postgres")]
    page.examine(row)
    opened.settle()
    assert page.doctor.doctored is not None
    assert page.doctor.doctored.inspection.is_sound


def test_what_is_wrong_with_a_server_is_told_with_the_next_step_and_without_the_password(
    page: DataPage, opened: DrivenPage, postgres: PostgresServer
) -> None:
    fill_parts(opened, postgres, dbname="nowhere", password="hunter2", user="guest")
    press(opened, "databaseTestButton")
    assert "correct the address" in said(opened, "database")
    assert "hunter2" not in said(opened, "database") + repr(page.database)
    type_into(opened, "databasePort", "70000")
    press(opened, "databaseTestButton")
    assert said(opened, "database") == "Port 70000: give a number from 1 to 65535, mostly 5432"
    type_into(opened, "databasePort", "")
    opened.click(opened.find(QRadioButton, "databaseByUrl"))
    opened.find(QRadioButton, "databaseByUrl").setChecked(True)
    type_into(opened, "databaseUrl", "postgresql://127.0.0.1:1/none")
    press(opened, "databaseTestButton")
    assert "it cannot be reached" in said(opened, "database")
    assert "DATABASE_URL" not in said(opened, "database")
    assert page.database.password.echoMode() is QLineEdit.EchoMode.Password
    assert page.database.url.echoMode() is QLineEdit.EchoMode.Password


# For everybody


def test_every_field_and_button_can_be_reached_by_tab_and_has_a_name(page: DataPage, opened: DrivenPage) -> None:
    kinds = (QAbstractButton, QLineEdit, QComboBox)
    for place in range(page.tabs.count()):
        page.tabs.setCurrentIndex(place)
        panel = page.tabs.currentWidget()
        assert panel is not None
        shown = [widget for kind in kinds for widget in panel.findChildren(kind) if widget.isVisible() and not is_part(widget)]
        # Arrow keys go from one radio button to the next.
        assert [widget.objectName() for widget in shown if not widget.objectName() or not name_of(widget)] == []
        reached = in_tab_order(panel)
        unreachable = [
            widget.objectName()
            for widget in shown
            if widget.isEnabled()
            and not isinstance(widget, QRadioButton)
            and (widget not in reached or not widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        ]
        assert [name for name in unreachable if not name.startswith("datasets") and not name.startswith("findings")] == []


def in_tab_order(panel: QWidget) -> set[QWidget]:
    found: set[QWidget] = set()
    widget: QWidget | None = panel.nextInFocusChain()
    while widget is not None and widget not in found:
        found.add(widget)
        widget = widget.nextInFocusChain()
    return found


def is_part(widget: QWidget) -> bool:
    return widget.objectName().startswith("qt_") or isinstance(widget.parentWidget(), QComboBox | QAbstractSpinBox | QLineEdit)


def name_of(widget: QWidget) -> str:
    return widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")


def test_it_fits_a_small_screen(page: DataPage) -> None:
    assert page.minimumSizeHint().width() <= 1000
    assert page.minimumSizeHint().height() <= 560


def test_empty_pages_say_what_will_be_there_and_offer_the_step(qapp: QApplication, settings: Settings, tmp_path: Path) -> None:
    bare = replace(settings, workspace=tmp_path / "workspace", candles=tmp_path / "candles")
    with driven_page(qapp, bare) as driven:
        driven.settle()
        for path in driven.desk.folder().iterdir():
            path.unlink()
        driven.page.datasets.refresh()
        driven.settle()
        driven.click(driven.find(QPushButton, "datasetsStep"))
        assert driven.page.tabs.currentWidget() is driven.page.imports
        assert "Choose a CSV or Parquet file" in driven.page.imports.foot.said.text()
        driven.page.tabs.setCurrentWidget(driven.page.doctor)
        driven.click(driven.find(QPushButton, "doctorChooseButton"))
        assert driven.page.tabs.currentWidget() is driven.page.datasets
