"""Everything a person keeps lies on a disk that is really full: what could not be kept is said, nothing that was there is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QPushButton

from sptrader_desktop.adapters.catalogue_candles import CandleCatalogue
from sptrader_desktop.settings import load_settings
from tests.ui.windows import Driven, driven_window, fresh_home
from tests.vendor_files import SPRING, market, metatrader_5, written

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lends a disk that is small enough to fill")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of eight mebibytes, in memory."""
    place = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("only an administrator can mount a disk that is small enough to fill")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def opened(qapp: QApplication, disk: Path) -> Iterator[Driven]:
    with fresh_home(disk), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        driven.settle()
        yield driven
        (disk / "ballast").unlink(missing_ok=True)


@pytest.fixture
def ran(opened: Driven, disk: Path) -> Iterator[Driven]:
    """With a run that is kept, and room for another again at the end."""
    run(opened, "0")
    assert opened.window.selection.run.value
    yield opened
    (disk / "ballast").unlink(missing_ok=True)
    for notice in opened.window.notices.waiting():
        opened.window.notices.dismiss(notice.key)
    opened.settle()
    if opened.host._dialog is not None:
        opened.host._dialog.close()
    opened.host.failures.forget()


def run(driven: Driven, spread: str) -> None:
    driven.find(QLineEdit, "spreadAnswer").setText(spread)
    driven.window.page.run()
    driven.settle()


def fill(disk: Path) -> None:
    """To the last byte."""
    with (disk / "ballast").open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    assert os.statvfs(disk).f_bavail == 0


def make_room(disk: Path) -> None:
    (disk / "ballast").unlink()


def told(driven: Driven, key: str) -> str:
    (sentence,) = (notice.text for notice in driven.window.notices.waiting() if notice.key == key)
    return sentence


def test_a_run_is_shown_and_what_it_could_not_be_kept_for_is_said(ran: Driven, disk: Path) -> None:
    window, kept = ran.window, [run.id for run in ran.window._desk.runs.list()]
    fill(disk)
    run(ran, "1.5")
    assert window.research.finished is not None
    assert window.research.finished.recipe.spread == "1.5"
    assert "make room there" in told(ran, "keep")
    assert "move it away" not in told(ran, "keep"), "nothing is wrong with the list"
    assert window.selection.run.value == "", "it is not exported as the run before"
    window.runs.history.reload()
    ran.settle()
    assert [run.id for run in window.runs.history._runs][::-1] == kept
    make_room(disk)
    run(ran, "2.5")
    assert window.selection.run.value
    runs = load_settings().runs
    assert {path.name for path in runs.iterdir() if path.is_dir()} == {run.id for run in window._desk.runs.list()}, "no half of a run"


def test_a_note_that_finds_no_room_stays_in_its_line(ran: Driven, disk: Path) -> None:
    history, note = ran.window.runs.history, ran.find(QLineEdit, "runNote")
    ran.window.layouts.show("history")
    history.reload()
    ran.settle()
    history.table.choose(0)
    history._refresh()
    fill(disk)
    note.setText("a thought " * 300)
    note.editingFinished.emit()
    ran.settle()
    assert note.text().startswith("a thought a thought")
    assert "make room there" in history._message.text()
    make_room(disk)
    note.editingFinished.emit()
    ran.settle()
    assert history._message.text() == ""
    assert ran.window._desk.runs.list()[-1].note.startswith("a thought a thought")


def test_a_text_that_finds_no_room_stays_in_its_editor_and_on_the_disk_as_it_was(ran: Driven, disk: Path) -> None:
    strategy = load_settings().workspace / "strategies" / "ma_crossover.yaml"
    before = strategy.read_bytes()
    editor = ran.window.texts.documents.open(strategy)
    failed: list[str] = []
    editor.document.failed.connect(failed.append)
    fill(disk)
    editor.edit.insertPlainText("# a thought\n" * 1_000)
    assert not editor.document.save()
    assert "your text is still here" in failed[-1] or "not protected" in failed[-1]
    assert "No space left on device" in failed[-1]
    assert strategy.read_bytes() == before
    assert editor.document.is_modified
    assert not list(strategy.parent.glob("*.tmp"))
    make_room(disk)
    assert editor.document.save()
    assert strategy.read_text().startswith("# a thought\n" * 1_000)
    editor.edit.undo()
    assert editor.document.save()
    assert strategy.read_bytes() == before
    ran.window.texts.documents.close_current()


def test_what_was_said_of_a_text_is_over_when_there_is_room_for_it(ran: Driven, disk: Path) -> None:
    strategy = load_settings().workspace / "strategies" / "ma_crossover.yaml"
    before, editor = strategy.read_bytes(), ran.window.texts.documents.open(strategy)

    def type_without_room() -> None:
        fill(disk)
        editor.edit.insertPlainText("# a thought\n" * 1_000)
        ran.until(lambda: "not protected" in editor.notice.text(), "the warning")

    type_without_room()
    make_room(disk)
    editor.edit.insertPlainText("# more\n")
    ran.until(lambda: not editor.notice.text(), "it to go: what is typed is protected again")
    type_without_room()
    ran.window.close()
    assert "would be lost" in told(ran, "exposed")
    make_room(disk)
    editor.commands()["editor.save"]()
    assert not editor.document.is_modified
    assert editor.notice.text() == ""
    assert not [notice for notice in ran.window.notices.waiting() if notice.key == "exposed"]
    editor.edit.selectAll()
    editor.edit.insertPlainText(before.decode())
    assert editor.save()
    ran.window.texts.documents.close_current()


def test_settings_that_find_no_room_hold_until_the_end_and_the_file_is_as_it_was(ran: Driven, disk: Path) -> None:
    preferences, path = ran.window._preferences.now, load_settings().preferences
    preferences.set(replace(preferences.value, hints=("one",)))
    before = path.read_bytes()
    fill(disk)
    preferences.set(replace(preferences.value, hints=tuple(f"hint {number}" for number in range(2_000))))
    ran.until(lambda: ran.host.failures.said.value, "the failure to be told")
    (failure,) = ran.host.failures.said.value
    assert "the settings could not be kept (No space left on device): make room" in failure.why
    assert path.read_bytes() == before
    assert len(preferences.value.hints) == 2_000
    make_room(disk)
    preferences.set(replace(preferences.value, hints=("one", "two")))
    assert json.loads(path.read_bytes())["hints"] == ["one", "two"]


def test_what_is_gathered_of_markets_is_kept_when_there_is_room_again(ran: Driven, disk: Path) -> None:
    watchlist = ran.window.kept_market.watchlist.now
    watchlist.set(("EURUSD",))
    ran.settle()
    path = load_settings().preferences.parent / "watchlist.json"
    fill(disk)
    watchlist.set(("EURUSD", "USDJPY"))
    ran.settle()
    assert "No space left on device" in told(ran, "kept")
    assert json.loads(path.read_bytes())["held"] == ["EURUSD"]
    make_room(disk)
    ran.window.kept_market.flush()
    assert json.loads(path.read_bytes())["held"] == ["EURUSD", "USDJPY"]


@pytest.mark.parametrize("place", ["Catalogue", "New Parquet file in the workspace"])
def test_an_import_that_finds_no_room_changes_nothing_and_can_be_kept_when_there_is(
    ran: Driven, disk: Path, tmp_path: Path, place: str
) -> None:
    page = ran.window.data.open()
    page.open_file(written(tmp_path, metatrader_5(market(SPRING, weeks=30), ZoneInfo("Europe/Athens")), "USDCAD.csv"))
    ran.until(page.imports.keep.isEnabled, "what is understood")
    page.imports.place.setCurrentText(place)
    files = {path: path.stat().st_size for path in (disk / "workspace" / "data").iterdir()}
    fill(disk)
    ran.click(page.imports.keep)
    ran.settle()
    said = page.imports.foot.said.text()
    assert "make room" in said
    assert "import the candles again" not in said
    assert page.imports.keep.isEnabled()
    make_room(disk)
    assert {path: path.stat().st_size for path in (disk / "workspace" / "data").iterdir()} == files
    assert not CandleCatalogue(load_settings().candles).datasets()
    ran.click(ran.find(QPushButton, "importKeepButton"))
    ran.settle()
    assert "kept in" in page.imports.foot.said.text()
    if place == "Catalogue":
        CandleCatalogue(load_settings().candles).remove("USDCAD", "1h", "bid")


@pytest.mark.parametrize("kind", ["html", "csv", "bundle"])
def test_an_export_that_finds_no_room_leaves_what_was_there(ran: Driven, disk: Path, kind: str) -> None:
    out = disk / f"mine.{'sptrun' if kind == 'bundle' else kind}"
    out.write_text("what was there")
    fill(disk)
    ran.window.runs.export(kind, out)
    ran.settle()
    ran.until(lambda: ran.host.failures.said.value, "the failure to be told")
    (failure,) = ran.host.failures.said.value
    assert "No space left on device" in failure.why
    assert "Make room" in failure.to_do
    assert out.read_text() == "what was there"
    assert not list(disk.glob("mine*.tmp"))
    make_room(disk)
    ran.window.runs.export(kind, out)
    ran.settle()
    assert out.stat().st_size > 1_000
    out.unlink()


def test_a_table_that_finds_no_room_says_so_beside_it(ran: Driven, disk: Path) -> None:
    table, out = ran.window.page.results.tables["trades"], disk / "trades.csv"
    ran.window.page.results.show_tab("trades")
    fill(disk)
    table.save_csv(out)
    ran.until(lambda: "No space left on device" in table._note.whole_text(), "the sentence")
    assert not out.exists()


def test_a_picture_that_finds_no_room_leaves_the_one_that_was_there(ran: Driven, disk: Path) -> None:
    chart, out = ran.window.page.chart, disk / "chart.png"
    out.write_bytes(b"the picture that was there")
    fill(disk)
    chart.commands()["chart.picture"]()
    dialog = ran.find(QFileDialog, "savePictureDialog")
    dialog.fileSelected.emit(str(out))
    assert "No space left on device" in told(ran, "picture")
    assert out.read_bytes() == b"the picture that was there"
    make_room(disk)
    dialog.fileSelected.emit(str(out))
    dialog.close()
    assert out.read_bytes().startswith(b"\x89PNG")
