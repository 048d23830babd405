"""The Data page as a person uses it: real files, a real PostgreSQL, a vendor's server on this machine, real clicks and keys."""

import os
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFrame,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QSplitter,
    QWidget,
)

from sptrader_desktop import compose_data
from sptrader_desktop.adapters.candle_files import load_candles
from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.ports import CandleRequest
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_page import DataPage
from sptrader_desktop.ui.desk import Series
from tests.kept_candles import hourly
from tests.ui.data_pages import BARS, EET, SAMPLE, DrivenPage, cell, choose, driven_page, page_fixtures, pick, press, said, type_into
from tests.vendor_files import metatrader_5, written

settings, opened, page = page_fixtures("data page")


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


def test_a_catalogue_that_cannot_be_read_is_said_above_the_list_until_it_can(
    page: DataPage, opened: DrivenPage, settings: Settings
) -> None:
    faults, index = opened.find(QFrame, "datasetsFaults"), settings.candles / "index.sqlite3"
    assert faults.isHidden()
    settings.candles.mkdir(exist_ok=True)
    aside = index.rename(index.with_suffix(".aside")) if index.exists() else None
    index.write_bytes(b"no index" * 100)
    press(opened, "datasetsRefreshButton")
    assert faults.isVisible()
    assert faults.accessibleName().startswith("Catalogue is left out of this list. ")
    assert "cannot be used" in faults.accessibleName()
    assert [row.place for row in page.datasets.rows if not row.path] == []
    assert any(row.place == SAMPLE and not row.problem for row in page.datasets.rows)
    index.unlink()
    if aside:
        aside.rename(index)
    press(opened, "datasetsFaultsAgain")
    assert faults.isHidden()


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
    assert page.doctor.isVisible()
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
    first, last = (str(np.datetime64(int(doctored.days.days[place]), "D")) for place in (0, -1))
    for key, day in ((Qt.Key.Key_End, last), (Qt.Key.Key_Home, first), (Qt.Key.Key_PageUp, first)):
        QTest.keyClick(picture, key)
        assert day in picture.said
    QTest.keyClick(picture, Qt.Key.Key_PageDown)
    assert str(np.datetime64(first) + np.timedelta64(28, "D")) in picture.said, "the same weekday four weeks later"


def test_the_day_that_keys_walk_to_is_in_sight(examined: DataPage, opened: DrivenPage) -> None:
    before, picture = examined.size(), examined.doctor.picture
    examined.resize(1000, 120)
    opened.settle()
    picture.setFocus()
    opened.settle()
    for key, number in ((Qt.Key.Key_Home, 0), (Qt.Key.Key_End, -1)):
        QTest.keyClick(picture, key)
        opened.settle()
        assert picture.visibleRegion().contains(picture.spots(picture.area)[number].area.toRect())
    examined.resize(before)
    opened.settle()


@pytest.mark.parametrize("width", [900, 1000, 1366, 1700])
def test_every_day_of_the_calendar_is_in_its_width_in_the_row_of_its_weekday(examined: DataPage, opened: DrivenPage, width: int) -> None:
    before = examined.size()
    examined.resize(width, 700)
    opened.settle()
    picture, scroll = examined.doctor.picture, opened.find(QScrollArea, "coverageScroll")
    assert examined.doctor.doctored is not None
    days = [cell.day for cell in examined.doctor.doctored.cells]
    spots = picture.spots(picture.area)
    assert scroll.horizontalScrollBar().maximum() == 0
    assert max(spot.area.right() for spot in spots) <= picture.width()
    assert max(spot.area.bottom() for spot in spots) <= picture.height()
    assert len({(spot.area.x(), spot.area.y()) for spot in spots}) == len(days) == len(spots)
    for (day, spot), (next_day, after) in pairwise(zip(days, spots, strict=True)):
        if next_day == day + 1 and str(np.datetime64(day, "D"))[5:] not in ("06-30", "12-31"):
            assert after.area.x() == spot.area.x()
            assert after.area.y() > spot.area.y()
    examined.resize(before)
    opened.settle()
    assert picture.accessibleDescription() == picture.said


def test_a_click_on_a_day_asks_for_the_chart_there_unless_no_chart_takes_these_candles(examined: DataPage, opened: DrivenPage) -> None:
    asked: list[tuple[Series, int]] = []

    def hear(series: Series, moment: int) -> None:
        asked.append((series, moment))

    def click_on_a_day() -> int:
        doctored = examined.doctor.doctored
        assert doctored is not None
        place = int(np.flatnonzero(doctored.days.present == 24)[40])
        QTest.mouseClick(examined.doctor.picture, Qt.MouseButton.LeftButton, pos=examined.doctor.picture.place_of(place).toPoint())
        return int(doctored.days.opens[place])

    examined.momentAsked.connect(hear)
    click_on_a_day()
    assert asked == []
    assert said(opened, "doctor").startswith("No chart shows these candles while they are refused")
    choose(opened, SAMPLE)
    press(opened, "datasetInspectButton")
    examined.doctor.picture.grab()
    opens = click_on_a_day()
    examined.momentAsked.disconnect(hear)
    assert asked == [(Series("EURUSD", "1h", str(opened.desk.folder() / SAMPLE)), opens)]


def test_findings_are_listed_and_only_what_is_ticked_is_mended_in_a_new_file(examined: DataPage, opened: DrivenPage, holed: Path) -> None:
    doctor = examined.doctor
    kinds = doctor.findings.model.table["kind"]
    assert {kinds.text(row) for row in range(len(kinds.values))} >= {"swapped", "hole"}
    assert doctor.verdict.text() == "Refused: no backtest takes it before this is settled: swapped; doubtful besides: hole"
    before = holed.read_bytes()
    press(opened, "repairButton")
    assert said(opened, "doctor") == "Tick what is to be mended, or set the clock"
    opened.click(doctor.fixes["swapped"])
    doctor.fixes["swapped"].setChecked(True)
    assert doctor.fixes["swapped"].text() == "swapped, 1 row"
    press(opened, "repairButton")
    mended = holed.with_name("EURUSD_1h_holed_mended.parquet")
    assert holed.read_bytes() == before
    assert len(load_candles(mended)) == pq.read_metadata(holed).num_rows
    assert "(swapped, 1 row)" in said(opened, "doctor")
    assert opened.find(QLabel, "doctorSaid").property("tone") == "warning", "what was written is doubtful still"
    assert {cell(doctor.ledger, row, 2) for row in range(doctor.ledger.rowCount())} == {"high", "low"}
    assert mended.name in {row.place for row in examined.datasets.rows}
    press(opened, "repairButton")
    assert "exists and is not overwritten" in said(opened, "doctor")


def test_a_series_of_the_catalogue_is_examined_but_not_mended(page: DataPage, opened: DrivenPage, settings: Settings) -> None:
    CandleCatalogue(settings.candles).keep(hourly(range(90), symbol="GBPUSD"))
    press(opened, "datasetsRefreshButton")
    row = next(row for row in page.datasets.rows if row.symbol == "GBPUSD" and row.where == "catalogue")
    page.examine(row)
    opened.settle()
    assert page.doctor.doctored is not None
    assert page.doctor.doctored.inspection.rows == 90
    assert not page.doctor.mend.isEnabled()


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


def test_in_little_room_nothing_is_squeezed_or_overlaps_and_tab_brings_into_sight(page: DataPage, opened: DrivenPage) -> None:
    choose(opened, SAMPLE)
    before = page.size()
    page.resize(500, 260)
    for place in range(page.tabs.count()):
        page.tabs.setCurrentIndex(place)
        opened.settle()
        assert (page.width(), page.height()) == (500, 260)
        panel = page.tabs.currentWidget()
        assert panel is not None
        buttons = [each for each in panel.findChildren(QPushButton) if each.isVisible()]
        assert [each.objectName() for each in buttons if each.width() < each.minimumSizeHint().width()] == []
        spaces = [(each.objectName(), QRect(each.mapTo(panel, QPoint()), each.size())) for each in buttons]
        assert [(one, other) for (one, here), (other, there) in combinations(spaces, 2) if here.intersects(there)] == []
        seen = seen_by_tab(page, opened)
        assert [each.objectName() for each in buttons if each.isEnabled() and each.objectName() not in seen] == []
    page.show_panel("datasets")
    page.resize(before)
    opened.settle()


def test_what_became_of_a_file_and_the_way_to_keep_it_stay_in_sight_in_little_room(
    page: DataPage, opened: DrivenPage, tmp_path: Path
) -> None:
    """They are not scrolled away with the answers and the views above and beside them."""
    before = page.size()
    page.resize(700, 330)
    (path := tmp_path / "EURUSD_broken.csv").write_text("timestamp,open,high,low,close\n2024-01-02T17:00:00Z,1,2,3,4\n")
    page.open_file(path)
    opened.settle()
    assert "Timeframe" in said(opened, "import")
    for each in (page.imports.keep, page.imports.foot.said):
        assert each.visibleRegion().boundingRect() == each.rect(), each.objectName()
    page.resize(before)
    opened.settle()


def test_in_a_narrow_window_the_repair_stands_below_what_was_found(examined: DataPage, opened: DrivenPage) -> None:
    before, place = examined.size(), examined.tabs.currentWidget()
    assert isinstance(place, QScrollArea)
    for width, is_below in ((488, True), (1000, False)):
        examined.resize(width, 560)
        opened.settle()
        assert place.horizontalScrollBar().maximum() == 0
        parts = (examined.doctor.tabs, opened.find(QScrollArea, "repairAnswers"))
        tabs, repair = (QRect(each.mapTo(examined, QPoint()), each.size()) for each in parts)
        assert (repair.top() > tabs.bottom(), repair.left() > tabs.right()) == (is_below, not is_below)
    examined.resize(before)
    opened.settle()


def test_in_a_narrow_window_headings_of_the_import_are_whole_and_the_choices_for_columns_come_into_sight(
    page: DataPage, opened: DrivenPage, tmp_path: Path
) -> None:
    before = page.size()
    page.resize(488, 400)
    page.open_file(written(tmp_path, metatrader_5(BARS, EET), "GBPUSD narrow.csv"))
    opened.settle()
    views = opened.find(QSplitter, "importViews")
    assert [each.text() for each in views.findChildren(QLabel) if each.height() < each.heightForWidth(each.width())] == []
    for box in views.findChildren(QComboBox):
        box.setFocus()
        opened.settle()
        assert box.visibleRegion().boundingRect().height() == box.height(), box.objectName()
    page.resize(before)
    opened.settle()


def seen_by_tab(page: DataPage, opened: DrivenPage) -> set[str]:
    """What came into sight when Tab had come to it."""
    seen: set[str] = set()
    bar = page.tabs.tabBar()
    bar.setFocus()
    for _ in range(100):
        QTest.keyClick(with_keyboard(), Qt.Key.Key_Tab)
        if with_keyboard() is bar:
            return seen
        opened.until(lambda: not with_keyboard().visibleRegion().isEmpty(), f"{with_keyboard()} in sight")
        seen.add(with_keyboard().objectName())
    raise AssertionError(f"a hundred steps led not back to the beginning: {sorted(seen)}")


def with_keyboard() -> QWidget:
    found = QApplication.focusWidget()
    assert found is not None
    return found


def test_empty_pages_say_what_will_be_there_and_offer_the_step(qapp: QApplication, settings: Settings, tmp_path: Path) -> None:
    bare = replace(settings, workspace=tmp_path / "workspace", candles=tmp_path / "candles")
    with driven_page(qapp, bare) as driven:
        driven.settle()
        for path in driven.desk.folder().iterdir():
            path.unlink()
        driven.page.datasets.refresh()
        driven.settle()
        driven.click(driven.find(QPushButton, "datasetsStep"))
        driven.until(lambda: driven.find(QPushButton, "importEmptyButton").isVisible(), "the panel for import")
        driven.page.show_panel("doctor")
        driven.until(driven.page.doctor.isVisible, "the doctor")
        driven.click(driven.find(QPushButton, "doctorChooseButton"))
        assert driven.page.datasets.isVisible()


def test_a_panel_is_made_when_it_is_first_looked_at(opened: DrivenPage) -> None:
    page = DataPage(opened.desk, opened.host.jobs, opened.selection, lambda *_: None)
    names = ("datasetsPanel", "importPanel", "doctorPanel", "downloadPanel", "databasePanel")

    def made() -> list[str]:
        return [name for name in names if page.findChild(QWidget, name)]

    assert made() == []
    page.show()
    assert made() == [], "the page is there before its panel"
    opened.settle()
    assert made() == ["datasetsPanel"]
    for at in (2, 1, 2):
        page.tabs.setCurrentIndex(at)
    assert made() == ["datasetsPanel", "importPanel", "doctorPanel"]
    assert not page.doctor.isVisible(), "made in one turn, laid out in the next"
    opened.until(page.doctor.isVisible, "the doctor")
    assert [page.tabs.tabText(at) for at in range(page.tabs.count())] == ["Datasets", "Import", "Doctor", "Download", "PostgreSQL"]
    page.hide()
    page.deleteLater()
