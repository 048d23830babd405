"""The Data page under a hasty person: two presses, another file meanwhile, a stop from elsewhere, and answers that come too late."""

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, ParamSpec, TypeVar

import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton

from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.app.desk import WindowDesk
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.present.database_address import ServerTold
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_page import DataPage
from sptrader_desktop.ui.desk import Series
from tests.http_servers import Answer, serving
from tests.kept_candles import hourly, mid_of
from tests.ui.data_pages import BARS, EET, SAMPLE, DrivenPage, choose, go_to, page_fixtures, pick, press, said, type_into
from tests.vendor_files import SPRING, market, metatrader_5, written

P = ParamSpec("P")
T = TypeVar("T")


class Gate:
    """Work that is held until it is let through; `begun` says that it has come so far."""

    def __init__(self) -> None:
        self.begun, self.opens = Event(), Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.opens.wait(60)

    def before(self, work: Callable[P, T]) -> Callable[P, T]:
        def held(*given: P.args, **more: P.kwargs) -> T:
            self()
            return work(*given, **more)

        return held


settings, opened, page = page_fixtures("data faults")


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.opens.set()


def vendor_file(folder: Path, name: str, *, lower: bool = False) -> Path:
    bars = [replace(bar, close=bar.low) for bar in BARS] if lower else BARS
    return written(folder, metatrader_5(bars, EET), name)


# Import


def test_a_file_that_goes_while_it_is_read_leaves_nothing_of_the_one_before_to_be_kept(
    page: DataPage, opened: DrivenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.open_file(vendor_file(tmp_path, "USDCAD good.csv"))
    opened.settle()
    assert page.imports.keep.isEnabled()

    def gone(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "USDCAD gone.csv")

    monkeypatch.setattr(opened.desk, "preview", gone)
    page.open_file(tmp_path / "USDCAD gone.csv")
    opened.settle()
    assert said(opened, "import").startswith("USDCAD gone.csv: Input/output error")
    assert page.imports.lines.toPlainText() == ""
    assert (page.imports.understood.rowCount(), page.imports.columns.columnCount()) == (0, 0)
    page.imports.replace.show()
    page.imports.replace.setChecked(True)
    assert not page.imports.keep.isEnabled(), "nothing is understood that could be kept"
    page.imports.replace.take_back()


def test_what_is_said_of_a_column_is_not_said_of_the_file_that_is_read_meanwhile(
    page: DataPage, opened: DrivenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    imports, preview = page.imports, opened.desk.preview
    page.open_file(vendor_file(tmp_path, "AUDUSD a.csv"))
    opened.until(imports.columns.columnCount, "the columns")
    opened.settle()
    box = imports.columns.cellWidget(0, 1)
    assert isinstance(box, QComboBox)
    monkeypatch.setattr(opened.desk, "preview", gate.before(preview))
    page.open_file(vendor_file(tmp_path, "AUDUSD b.csv"))
    opened.until(gate.begun.is_set, "the reading")
    box.setCurrentIndex(0)
    box.activated.emit(0)
    gate.opens.set()
    opened.settle()
    assert said(opened, "import").endswith("understood; nothing is kept yet")
    assert imports.answers().columns == {}


def test_while_two_columns_are_said_to_hold_one_thing_nothing_is_kept(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    imports = page.imports
    page.open_file(vendor_file(tmp_path, "AUDCAD a.csv"))
    opened.until(imports.keep.isEnabled, "the file")
    opened.settle()
    before, box = (imports.columns.cellWidget(0, at) for at in (2, 3))
    assert isinstance(before, QComboBox)
    assert isinstance(box, QComboBox)
    box.setCurrentIndex(before.currentIndex())
    box.activated.emit(before.currentIndex())
    assert said(opened, "import").startswith("Two columns are said to hold this")
    imports.place.setCurrentIndex(1)
    assert not imports.keep.isEnabled()
    imports.place.setCurrentIndex(0)


def test_a_refusal_goes_with_the_first_letter_of_another_answer_and_comes_back_with_the_answer(
    page: DataPage, opened: DrivenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    imports, preview = page.imports, opened.desk.preview
    path = vendor_file(tmp_path, "no symbol.csv")
    page.open_file(path)
    opened.settle()
    refused = said(opened, "import")
    field = opened.find(QLineEdit, "importSymbol")
    assert "symbol" in refused
    assert field.property("tone") == "warning"
    type_into(opened, "importSymbol", "X")
    assert said(opened, "import") == f"{path.name} is looked at again when Return is pressed or the field is left"
    assert field.property("tone") == ""
    opened.press(Qt.Key.Key_Backspace)
    assert said(opened, "import") == refused
    assert field.property("tone") == "warning"
    monkeypatch.setattr(opened.desk, "preview", gate.before(preview))
    type_into(opened, "importSymbol", "EURUSD")
    opened.press(Qt.Key.Key_Return)
    opened.until(gate.begun.is_set, "the reading")
    assert said(opened, "import") == ""
    assert imports.foot.is_at_work
    assert field.property("tone") == ""
    gate.opens.set()
    opened.settle()
    assert said(opened, "import").endswith("understood; nothing is kept yet")


def test_what_columns_were_said_to_hold_stands_there_again_when_a_file_that_vanished_is_back(
    page: DataPage, opened: DrivenPage, tmp_path: Path
) -> None:
    path = tmp_path / "EURUSD own words.csv"
    path.write_text("Tag;Uhr;Anfang\n02.01.2024;00:00;1,1\n02.01.2024;01:00;1,2\n", encoding="utf-8")
    page.open_file(path)
    opened.settle()
    for name, words in (("columnRole0", "Date"), ("columnRole1", "Time of day")):
        pick(opened, name, words)
        opened.settle()
    path.rename(aside := path.with_suffix(".aside"))
    opened.press(Qt.Key.Key_Down)
    opened.settle()
    assert "No such file" in said(opened, "import")
    assert page.imports.columns.hasFocus(), "the keyboard stays beside what went"
    aside.rename(path)
    type_into(opened, "importSymbol", "EURUSD")
    opened.press(Qt.Key.Key_Return)
    opened.settle()
    assert "said to hold the time" in said(opened, "import")
    assert [box.currentText() for box in page.imports._roles] == ["Date", "Open", "not used"]


def test_a_refusal_of_one_file_does_not_allow_the_next_to_replace(
    page: DataPage, opened: DrivenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    page.open_file(vendor_file(tmp_path, "USDCHF a.csv"))
    opened.settle()
    press(opened, "importKeepButton")
    really = opened.desk._kept_in
    monkeypatch.setattr(opened.desk, "_kept_in", gate.before(really))
    page.open_file(vendor_file(tmp_path, "USDCHF b.csv", lower=True))
    opened.settle()
    opened.click(page.imports.keep)
    opened.until(gate.begun.is_set, "the keeping")
    page.open_file(other := vendor_file(tmp_path, "NZDUSD c.csv"))
    opened.until(lambda: page.imports.preview is not None and page.imports.preview.path == str(other), "the other file")
    assert not page.imports.keep.isEnabled(), "one thing is kept at a time"
    assert page.imports.foot.is_at_work, "the keeping can still be seen and stopped"
    gate.opens.set()
    opened.settle()
    assert "differ from those the catalogue holds" in said(opened, "import")
    assert page.imports.replace.isHidden(), "that was about the other file"
    assert page.imports.keep.isEnabled()


def test_what_was_allowed_for_some_answers_is_not_for_others(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    for name, lower in (("GBPJPY a.csv", False), ("GBPJPY b.csv", True)):
        page.open_file(vendor_file(tmp_path, name, lower=lower))
        opened.settle()
        press(opened, "importKeepButton")
    page.imports.replace.setChecked(True)
    type_into(opened, "importSymbol", "EURJPY")
    QTest.keyClick(opened.find(QLineEdit, "importSymbol"), Qt.Key.Key_Return)
    assert not page.imports.replace.isChecked()
    assert page.imports.replace.isHidden()
    opened.settle()


@pytest.mark.parametrize(("names", "is_taken"), [(("a.csv",), True), (("a.csv", "b.csv"), False)])
def test_of_several_files_none_is_dropped_without_a_word(page: DataPage, names: tuple[str, ...], is_taken: bool) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(f"/{name}") for name in names])
    entered = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entered.ignore()
    page.dragEnterEvent(entered)
    assert entered.isAccepted() == is_taken


def test_what_was_kept_in_one_place_can_be_kept_in_another(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    page.open_file(vendor_file(tmp_path, "EURAUD a.csv"))
    opened.settle()
    press(opened, "importKeepButton")
    assert not page.imports.keep.isEnabled()
    pick(opened, "importPlace", "New Parquet file in the workspace")
    press(opened, "importKeepButton")
    assert "kept in EURAUD_1h_" in said(opened, "import")
    pick(opened, "importPlace", "Catalogue")


def test_an_answer_is_asked_again_when_the_reading_was_stopped(page: DataPage, opened: DrivenPage, tmp_path: Path) -> None:
    page.open_file(written(tmp_path, metatrader_5(market(SPRING, 8, 5), EET), "EURUSD long.csv"))
    opened.until(lambda: page.imports.foot.is_at_work, "the reading")
    opened.click(opened.find(QPushButton, "importCancel"))
    opened.settle()
    assert not page.imports.keep.isEnabled()
    QTest.keyClick(opened.find(QLineEdit, "importSymbol"), Qt.Key.Key_Return)
    opened.settle()
    assert page.imports.keep.isEnabled()


# Download


def test_a_download_that_is_stopped_from_the_foot_of_the_window_can_be_begun_again(page: DataPage, opened: DrivenPage) -> None:
    with serving(lambda _: Answer(body=b"", hangs=0.3)) as server:
        go_to(opened, "Download")
        for name, text in (("downloadFrom", "2014-05-02"), ("downloadTo", "2014-05-05"), ("downloadAddress", server.url)):
            type_into(opened, name, text)
        opened.click(page.downloads.fetch)
        opened.until(lambda: server.asked, "the first question")
        QTest.keyClick(opened.find(QLineEdit, "downloadTo"), Qt.Key.Key_Return)
        assert not opened.host.jobs.waiting, "one is at work"
        (job,) = opened.host.jobs.running
        opened.host.jobs.cancel(job)
        opened.settle()
    assert said(opened, "download").startswith("Stopped")
    assert page.downloads.fetch.isEnabled()


def test_the_tick_that_lets_bars_be_replaced_is_taken_back_for_another_download(page: DataPage, opened: DrivenPage) -> None:
    go_to(opened, "Download")
    for change in (
        lambda: pick(opened, "downloadSymbol", "USDJPY"),
        lambda: pick(opened, "downloadTimeframe", "4h"),
        lambda: type_into(opened, "downloadTo", "2014-06-05"),
    ):
        page.downloads.replace.show()
        page.downloads.replace.setChecked(True)
        change()
        assert not page.downloads.replace.isChecked()


# Datasets


def test_after_a_file_went_to_the_trash_none_is_chosen_in_its_place(page: DataPage, opened: DrivenPage, settings: Settings) -> None:
    extra = opened.desk.folder() / "EURUSD_1h_extra.parquet"
    extra.write_bytes((opened.desk.folder() / SAMPLE).read_bytes())
    press(opened, "datasetsRefreshButton")
    choose(opened, extra.name)
    press(opened, "datasetDeleteButton")
    assert page.datasets.chosen() is None
    assert not page.datasets.delete.isEnabled()
    press(opened, "datasetsRefreshButton")
    assert page.datasets.chosen() is None
    assert (opened.desk.folder() / SAMPLE).exists()


def test_a_new_list_does_not_take_a_name_away_that_is_being_typed(page: DataPage, opened: DrivenPage, settings: Settings) -> None:
    catalogue = CandleCatalogue(settings.candles)
    catalogue.keep(hourly(range(50), symbol="AUDUSD"))
    press(opened, "datasetsRefreshButton")
    at = next(at for at, item in enumerate(page.datasets.rows) if item.name == "AUDUSD 1h bid")
    page.datasets.table.choose(at)
    page.datasets._show_chosen()
    press(opened, "datasetDeleteButton")
    type_into(opened, "deleteName", "AUDUSD 1h")
    catalogue.keep(hourly(range(50), symbol="AUDCAD"))
    page.datasets.refresh()
    opened.settle()
    assert not page.datasets._confirm.isHidden()
    QTest.keyClicks(opened.find(QLineEdit, "deleteName"), " bid")
    press(opened, "deleteConfirmButton")
    assert "AUDUSD" not in {item.symbol for item in catalogue.datasets()}


def test_a_second_press_begins_nothing_twice_and_the_first_is_told(
    page: DataPage, opened: DrivenPage, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    held, asked = gate.before(opened.desk.resample), list[str]()

    def slowly(row: Any, timeframe: str, *more: Any) -> str:
        asked.append(timeframe)
        return held(row, timeframe, *more)

    monkeypatch.setattr(opened.desk, "resample", slowly)
    choose(opened, SAMPLE)
    pick(opened, "resamplePlace", "New file")
    pick(opened, "resampleTimeframe", "30m")
    pick(opened, "resampleTimeframe", "1d")
    opened.click(page.datasets.resample)
    opened.until(gate.begun.is_set, "the first")
    opened.click(page.datasets.resample)
    assert said(opened, "datasets").startswith("Still making 1d candles")
    gate.opens.set()
    opened.settle()
    assert asked == ["1d"]
    assert "of EURUSD 1d" in said(opened, "datasets")


def test_a_chart_of_one_side_shows_no_other(page: DataPage, opened: DrivenPage, settings: Settings) -> None:
    catalogue, bid = CandleCatalogue(settings.candles), hourly(range(60), symbol="NZDCAD")
    for candles in (bid, mid_of(bid, 500)):
        catalogue.keep(candles)
    press(opened, "datasetsRefreshButton")
    asked: list[Series] = []
    page.seriesAsked.connect(asked.append)
    for side in ("bid", "mid"):
        at = next(at for at, item in enumerate(page.datasets.rows) if item.name == f"NZDCAD 1h {side}")
        page.datasets.table.choose(at)
        page.datasets._show_chosen()
        opened.click(page.datasets.open)
    page.seriesAsked.disconnect(asked.append)
    desk = WindowDesk(settings)
    assert [int(desk.candles(series).prices.close[0]) for series in asked] == [int(bid.prices.close[0]) + more for more in (0, 500)]
    assert sum(series.symbol == "NZDCAD" for series in desk.series()) == 1, "to run on there is one of them"


# The doctor


@pytest.fixture
def flawed(opened: DrivenPage) -> Path:
    """The sample with one bar whose high and low are exchanged."""
    path = opened.desk.folder() / "EURUSD_1h_flawed.parquet"
    table = pq.read_table(opened.desk.folder() / SAMPLE).to_pandas()
    table.loc[10, ["high", "low"]] = table.loc[10, ["low", "high"]].to_numpy()
    table.to_parquet(path)
    return path


def examine(opened: DrivenPage, name: str) -> None:
    press(opened, "datasetsRefreshButton")
    choose(opened, name)
    press(opened, "datasetInspectButton")
    for box in opened.page.doctor.fixes.values():
        box.setChecked(True)


@pytest.mark.parametrize("out", ["", "../up.parquet", "a/b.parquet", "/x.parquet"])
def test_a_name_that_is_none_is_refused_where_it_was_typed(page: DataPage, opened: DrivenPage, flawed: Path, out: str) -> None:
    examine(opened, flawed.name)
    type_into(opened, "repairOut", out)
    press(opened, "repairButton")
    assert said(opened, "doctor") == "New file: give a name without folders, it is written beside this one"


def test_what_a_repair_refuses_is_told_without_the_options_of_a_command_line(page: DataPage, opened: DrivenPage, flawed: Path) -> None:
    examine(opened, flawed.name)
    for name, text in (("repairOut", "mended.csv"), ("repairOut", SAMPLE), ("repairShift", "two hours")):
        type_into(opened, name, text)
        press(opened, "repairButton")
        assert "--" not in said(opened, "doctor")
    type_into(opened, "repairShift", "")


def test_a_dataset_that_vanished_is_told_and_nothing_of_another_stands_under_its_name(
    page: DataPage, opened: DrivenPage, flawed: Path
) -> None:
    examine(opened, flawed.name)
    doctor = page.doctor
    assert doctor.tabs.tabText(1) == "Findings (1)"
    item = replace(page.datasets.rows[0], path=str(flawed.with_name("EURUSD_1h_gone.parquet")))
    page.examine(item)
    opened.settle()
    assert doctor.title.text() == "EURUSD_1h_gone.parquet"
    assert said(opened, "doctor") != ""
    assert doctor.tabs.tabText(1) == "Findings"
    assert not doctor.picture.spots(doctor.picture.area)


def test_a_repair_that_ends_late_does_not_write_its_ledger_over_another_dataset(
    page: DataPage, opened: DrivenPage, flawed: Path, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    examine(opened, flawed.name)
    doctor, really = page.doctor, opened.desk.repair
    monkeypatch.setattr(opened.desk, "repair", gate.before(really))
    opened.click(doctor.mend)
    opened.until(gate.begun.is_set, "the repair")
    opened.click(doctor.mend)
    other = next(item for item in page.datasets.rows if item.place == SAMPLE)
    page.examine(other)
    opened.until(lambda: doctor.doctored is not None, "the other one to be examined")
    gate.opens.set()
    opened.settle()
    assert said(opened, "doctor").startswith(f"{flawed.name}: 2,614 rows became 2,613")
    assert doctor.ledger.rowCount() == 0
    assert doctor.tabs.currentIndex() != 2
    assert len(load_candles(flawed.with_name("EURUSD_1h_flawed_mended.parquet"))) == 2_613


# PostgreSQL


def test_a_database_that_is_reached_after_another_question_is_in_use_and_said_to_be(
    page: DataPage, opened: DrivenPage, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    desk = opened.desk

    def slowly(_address: str) -> str:
        gate()
        monkeypatch.setattr(desk, "_database", "localhost:5432/late")
        return "localhost:5432/late"

    monkeypatch.setattr(desk, "use_database", slowly)
    monkeypatch.setattr(desk, "test_database", lambda _address: ServerTold("localhost:5432/other", "17"))
    monkeypatch.setattr(desk, "_of_database", list)
    go_to(opened, "PostgreSQL")
    opened.click(page.database.connect_button)
    opened.until(gate.begun.is_set, "the server to be asked")
    opened.click(page.database.test)
    gate.opens.set()
    opened.settle()
    assert page.database.state.text() == "In use: localhost:5432/late"
    assert "answers at localhost:5432/other" in said(opened, "database")
    gate.begun.clear()
    gate.opens.clear()
    opened.click(page.database.connect_button)
    opened.until(gate.begun.is_set, "the server to be asked again")
    opened.click(opened.find(QPushButton, "databaseCancel"))
    assert not page.database.foot.is_at_work, "a server that does not answer holds nobody up"
    gate.opens.set()
    opened.settle()
    assert said(opened, "database").startswith("It was done before it could be stopped")


def test_the_catalogue_of_the_faults_is_sound(settings: Settings) -> None:
    """Whatever was pressed, what is kept is whole."""
    catalogue = CandleCatalogue(settings.candles)
    for item in catalogue.datasets():
        assert len(catalogue.candles(CandleRequest(item.symbol, item.timeframe), item.side)) == item.rows
