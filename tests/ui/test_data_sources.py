"""Where candles come from, on the Data page: imports, a vendor's server on this machine, a real PostgreSQL; real clicks and keys."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QTableWidget,
)

from sptrader_desktop import compose_data
from sptrader_desktop.adapters import http_fetch
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.adapters.postgres_candles import PostgresCandles
from sptrader_desktop.adapters.postgres_server import PostgresServer
from sptrader_desktop.app.data_desk import WindowDataDesk
from sptrader_desktop.app.desk import WindowDesk
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.present.import_form import ImportPreview
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_desk import POSTGRES
from sptrader_desktop.ui.data.data_page import DataPage
from sptrader_desktop.ui.desk import Series
from tests.http_servers import Answer, Asked, serving
from tests.kept_candles import hourly
from tests.servers import own_settings
from tests.test_download_dukascopy import vendor
from tests.ui.data_pages import (
    BARS,
    EET,
    SAMPLE,
    DrivenPage,
    cell,
    choose,
    go_to,
    page_fixtures,
    page_settings,
    pick,
    press,
    said,
    type_into,
)
from tests.vendor_files import SPRING, market, metatrader_5, price, written

settings, opened, page = page_fixtures("data sources")


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_fetch, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(compose_data, "BETWEEN_REQUESTS", 0.0)


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
    assert panel.isVisible()
    assert panel.lines.toPlainText().startswith(" 1  <DATE>")
    assert cell(panel.understood, 0, 4) == price(BARS[0].close)
    assert opened.find(QComboBox, "columnRole5").currentText() == "Close"
    assert not [item for item in CandleCatalogue(settings.candles).datasets() if item.symbol == "GBPUSD"]
    press(opened, "importKeepButton")
    assert "kept in the catalogue" in said(opened, "import")
    kept = CandleCatalogue(settings.candles).candles(CandleRequest("GBPUSD", "1h"))
    assert kept.prices.close.tolist() == [bar.close for bar in BARS]
    assert any(row.symbol == "GBPUSD" and row.where == "catalogue" for row in page.datasets.rows)


class WhenAllowed(QObject):
    """What stands in a table at the moment at which a button can be pressed."""

    def __init__(self, button: QPushButton, table: QTableWidget) -> None:
        super().__init__(button)
        self.rows: list[int] = []
        self._table = table
        button.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.EnabledChange and isinstance(watched, QPushButton) and watched.isEnabled():
            self.rows.append(self._table.rowCount())
        return False


def test_nothing_can_be_kept_before_what_it_is_understood_as_is_shown(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    panel = page.imports
    page.open_file(written(tmp_path, "words and words\n", "EURUSD none.csv"))
    opened.settle()
    assert panel.understood.rowCount() == 0
    allowed, place = WhenAllowed(panel.keep, panel.understood), panel.place.currentIndex()
    changed = panel.lines.textChanged.connect(lambda: panel.place.setCurrentIndex(place + 1))  # while the rest is on its way
    page.open_file(written(tmp_path, metatrader_5(BARS, EET), "GBPUSD shown.csv"))
    opened.settle()
    panel.lines.textChanged.disconnect(changed)
    panel.place.setCurrentIndex(place)
    assert panel.keep.isEnabled()
    assert allowed.rows == [panel.understood.rowCount()]
    panel.keep.removeEventFilter(allowed)


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
    page.open_file(written(tmp_path, metatrader_5(market(SPRING, 8, 5), EET), "EURUSD long.csv"))
    opened.until(lambda: page.imports.foot.is_at_work, "the reading")
    opened.click(opened.find(QPushButton, "importCancel"))
    assert said(opened, "import") == "Stopped; nothing was kept"
    assert not page.imports.foot.is_at_work
    opened.settle()
    assert page.imports.preview is None or not page.imports.preview.path.endswith("long.csv")
    assert not page.imports.keep.isEnabled()


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
    assert asked == [Series("EURUSD", "1h", source="postgres", side="bid")]
    desk = WindowDesk(own_settings())
    desk.use_database(opened.used[-1])
    named = WindowDesk(replace(own_settings(), database_url=opened.used[-1]))
    for each in (desk, named):
        assert "postgres:EURUSD 1h" in {item.key for item in each.items()}, "and may be run on"
    assert desk.candles(asked[0]).timestamp.tolist() == load_candles(opened.desk.folder() / SAMPLE).timestamp.tolist()
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


def test_without_a_database_nothing_is_kept_in_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No database is in use: connect to one"):
        WindowDataDesk(page_settings(tmp_path)).keep(ImportPreview("x.csv", candles=hourly(range(5))), POSTGRES, replace=False)


def test_the_page_is_imported_without_the_libraries_that_take_long() -> None:
    """They are loaded when something is asked for, not when the window opens."""
    code = "import sys, sptrader_desktop.app.data_process, sptrader_desktop.ui.data.data_page; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.replace("'", " ").replace(",", " ").split())
    assert loaded & {"pandas", "numba", "pyarrow", "psycopg", "httpx", "redis"} == set()


def test_what_is_told_after_a_stop_is_what_happened(page: DataPage, opened: DrivenPage, settings: Settings, tmp_path: Path) -> None:
    """Keeping is waited for: either it is done, and told so, or nothing is there."""
    page.open_file(written(tmp_path, metatrader_5(market(SPRING, 12, 60), EET), "USDSEK stop.csv"))
    opened.settle()
    opened.click(page.imports.keep)
    opened.click(opened.find(QPushButton, "importCancel"))
    opened.settle()
    is_there = any(item.symbol == "USDSEK" for item in CandleCatalogue(settings.candles).datasets())
    assert ("kept in the catalogue" in said(opened, "import")) == is_there
    assert is_there or said(opened, "import").startswith("Stopped")


def test_a_vendor_that_does_not_answer_is_left_at_once(page: DataPage, opened: DrivenPage) -> None:
    with serving(lambda _: Answer(body=b"", hangs=1.0)) as server:
        ask_download(opened, server.url, "4h")
        type_into(opened, "downloadTo", "2014-06-05")
        opened.click(opened.find(QPushButton, "downloadButton"))
        opened.until(lambda: server.asked, "the first question")
        opened.click(opened.find(QPushButton, "downloadCancel"))
        assert not page.downloads.foot.is_at_work
        assert page.downloads.fetch.isEnabled()
        opened.settle()
        assert len(server.asked) == 1, "nothing more is asked"
        assert said(opened, "download").startswith("Stopped")


@pytest.mark.parametrize(
    ("tab", "name", "dialog"), [("Import", "importFileButton", "importFileDialog"), ("PostgreSQL", "", "loadFilesDialog")]
)
def test_files_are_chosen_in_a_dialog_that_holds_nobody_up(
    page: DataPage, opened: DrivenPage, tmp_path: Path, tab: str, name: str, dialog: str
) -> None:
    path = written(tmp_path, metatrader_5(BARS, EET), "EURUSD chosen.csv")
    go_to(opened, tab)
    if name:
        opened.click(opened.find(QPushButton, name))
    else:
        page.database.ask_for_files()
    asked = opened.find(QFileDialog, dialog)
    assert asked.isVisible()
    chosen = asked.fileSelected if name else asked.filesSelected
    chosen.emit(str(path) if name else [str(path)])
    asked.close()
    opened.settle()
    if name:
        assert page.imports.path == path
        assert page.imports.keep.isEnabled()
    else:
        assert "name the file <SYMBOL>_<timeframe>_" in said(opened, "database"), "a vendor's file is imported, not loaded"


def test_a_source_that_cannot_be_asked_is_told_in_the_list_and_hides_no_other(tmp_path: Path) -> None:
    settings = replace(page_settings(tmp_path), database_url="postgresql://somebody:hunter2@127.0.0.1:1/none")
    settings.candles.mkdir()
    (settings.candles / "index.sqlite3").write_bytes(b"no index" * 100)
    desk = WindowDataDesk(settings)
    (desk.folder() / "EURUSD_tick_broken.parquet").write_bytes(b"no quotes")
    found = desk.datasets(lambda _fraction, _words: None)
    rows = {row.where: row for row in found}
    assert [bool(row.problem) for row in found if row.path] == [False, True]
    assert "cannot be used" in rows["catalogue"].problem
    assert "it cannot be reached" in rows["postgres"].problem
    assert "hunter2" not in rows["postgres"].problem
    assert {row.label for row in rows.values() if row.problem} == {"unreadable"}
