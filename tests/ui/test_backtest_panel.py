"""The backtest panel: what is answered is what is run, kept and shown with a kept run."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QDate, QLocale, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QCalendarWidget, QFileDialog, QLabel, QLineEdit, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from sptrader_desktop.compose_data import SOURCES
from sptrader_desktop.present import run_form
from sptrader_desktop.present.numbers import grouped, ungrouped
from sptrader_desktop.present.preferences import MOST_RECENT, Preferences
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.ui.backtest_panel import BacktestPanel
from sptrader_desktop.ui.desk import Series
from sptrader_desktop.ui.widgets.column_scroll import ColumnScroll
from sptrader_desktop.ui.widgets.date_field import CalendarPopup, DateField
from tests.ui.windows import Driven, driven_window, fresh_home, work_until_asked

HERE = Path(__file__)
SERIES = [
    Series("EURUSD", "1h", "/data/EURUSD_1h.parquet"),
    Series("GBPUSD", "1h", "/data/GBPUSD_1h.parquet"),
    Series("USDJPY", "1d", source="catalogue"),
]
STRATEGIES = [Path("/s/one.yaml"), Path("/s/two.yaml")]


@pytest.fixture
def panel(qtbot: QtBot) -> BacktestPanel:
    made = BacktestPanel()
    qtbot.addWidget(made)
    made.offer(STRATEGIES, SERIES)
    made.show()
    return made


def line(panel: BacktestPanel, name: str) -> QLineEdit:
    found = panel.findChild(QLineEdit, name)
    assert found is not None, name
    return found


def popup_of(field: QLineEdit) -> QAbstractItemView:
    popup = field.completer().popup()
    assert popup is not None
    return popup


# Answers

WORD = st.text("abcxyz019=._", min_size=1, max_size=8)
FILES = st.lists(st.text("abc", min_size=1, max_size=8).map(lambda name: f"/data/{name}"), max_size=3).map(tuple)
RECIPES = st.builds(
    Recipe,
    strategy=st.sampled_from([str(path) for path in STRATEGIES]),
    data=st.lists(st.sampled_from([one.path for one in SERIES[:2]]), min_size=1, max_size=2, unique=True).map(tuple),
    start=st.sampled_from(["", "2024-03-01"]),
    end=st.sampled_from(["", "2024-04-01 12:00"]),
    resample=st.sampled_from(["", "1h", "60m", "3h", "4h", "1w"]),
    ask=FILES,
    finer=FILES,
    finer_ask=FILES,
    rates=FILES,
    instruments=st.sampled_from(["", "/data/mine.yaml"]),
    financing=st.sampled_from(["", "/data/rates.yaml"]),
    params=st.lists(WORD, max_size=2).map(tuple),
    capital=st.sampled_from(["10000", "5", "1234567.50", "1,5"]),
    currency=st.sampled_from(["USD", "EUR"]),
    fill=st.sampled_from(["next_open", "close"]),
    intrabar=st.sampled_from(["stop_first", "target_first"]),
    spread=WORD,
    slippage=WORD,
    commission=WORD,
    leverage=WORD,
)


def test_a_recipe_that_is_shown_is_the_recipe_that_is_asked_for(qtbot: QtBot) -> None:
    panel = BacktestPanel()
    qtbot.addWidget(panel)
    panel.offer(STRATEGIES, SERIES)

    @settings(max_examples=30)
    @given(RECIPES)
    def holds(recipe: Recipe) -> None:
        panel.show_recipe(recipe)
        assert panel.recipe() == recipe

    holds()


def test_a_run_from_a_source_is_shown_too(panel: BacktestPanel, qtbot: QtBot) -> None:
    of_server = Recipe("/s/two.yaml", source="http", symbols=("GBPUSD", "USDJPY"), timeframe="15m", resample="1h")
    for asked in (Recipe("/s/two.yaml", source="catalogue", symbols=("USDJPY",), timeframe="1d"), of_server):
        panel.show_recipe(asked)
        assert panel.recipe() == asked
    again = BacktestPanel()
    qtbot.addWidget(again)
    again.restore(panel.answers(), {})
    again.offer(STRATEGIES[1:], SERIES)
    assert again.recipe() == of_server


def test_candles_whose_file_is_renamed_stay_chosen(panel: BacktestPanel) -> None:
    panel.choose(STRATEGIES[0], SERIES[1])
    panel.renamed(Path("/data/GBPUSD_1h.parquet"), Path("/data/GBPUSD_1h_2024.parquet"))
    renamed = Series("GBPUSD", "1h", "/data/GBPUSD_1h_2024.parquet")
    assert panel.kept_series() == renamed
    panel.offer(STRATEGIES, [SERIES[0], renamed])
    assert panel.kept_series() == renamed


def test_strategies_of_one_name_are_told_apart_by_their_folders(panel: BacktestPanel) -> None:
    def names() -> list[str]:
        return [panel.strategy.itemText(place) for place in range(panel.strategy.count())]

    panel.offer([*STRATEGIES, Path("/s/fast/one.yaml")], SERIES)
    assert names() == ["s/one", "two", "fast/one"]
    panel.renamed(STRATEGIES[0], Path("/s/slow.yaml"))
    assert names() == ["slow", "two", "one"]


def test_files_of_one_symbol_are_told_apart_also_where_there_is_little_room(panel: BacktestPanel) -> None:
    files = [
        "2023-01-02_2023-12-31.parquet",
        "2024-01-02_2024-05-31.parquet",
        "2024-01-02_2024-05-31_mended.parquet",
        "old.csv",
        "old.parquet",
    ]
    series = [Series("EURUSD", "1h", f"/data/EURUSD_1h_{name}") for name in files] + [Series("EURUSD", "1h", "/data/EURUSD_1h.parquet")]
    panel.offer(STRATEGIES, [*series, Series("EURUSD", "1h", source="catalogue"), Series("EURUSD", "4h", "/data/EURUSD_4h_2024.parquet")])
    panel.resize(panel.minimumSizeHint().width(), panel.height())
    names, shown = list[str](), list[str]()
    for place in range(panel.data.count()):
        panel.data.setCurrentIndex(place)
        names.append(panel.data.currentText())
        shown.append(panel.data.shown_text())
        assert panel.data.toolTip() == panel.series[place].label
    assert names[1:4] == ["EURUSD 1h · 2024-01-02_2024-05-31", "EURUSD 1h · 2024-01-02_2024-05-31_mended", "EURUSD 1h · old.csv"]
    assert names[5:] == ["EURUSD 1h · EURUSD_1h", "EURUSD 1h · catalogue", "EURUSD 4h"]
    assert len(set(shown)) == len(shown) > 0
    assert {text[:9] for text in shown} == {"EURUSD 1h", "EURUSD 4h"}
    panel.renamed(Path("/data/EURUSD_1h_old.csv"), Path("/data/EURUSD_1h_new.csv"))
    assert [panel.data.itemText(place) for place in (3, 4)] == ["EURUSD 1h · new", "EURUSD 1h · old"]


def test_every_field_of_a_recipe_is_asked_for() -> None:
    chosen = {"strategy", "data", "source", "symbols", "timeframe", "symbol"}  # by the boxes of strategies, candles and symbols
    assert {field.name for field in fields(Recipe)} - chosen == set(run_form.BY_KEY)


def test_showing_a_recipe_changes_nothing_that_a_result_depends_on(panel: BacktestPanel, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(panel.changed):
        panel.show_recipe(Recipe("/s/two.yaml", data=("/data/GBPUSD_1h.parquet",), spread="2"))
    with qtbot.waitSignal(panel.changed):
        QTest.keyClicks(line(panel, "spreadAnswer"), "1")


def test_a_recipe_whose_strategy_is_gone_leaves_no_other_chosen_until_it_is_back(panel: BacktestPanel) -> None:
    panel.show_recipe(Recipe("/s/gone.yaml", data=("/data/GBPUSD_1h.parquet",)))
    assert panel.chosen_strategy() is None
    assert panel.recipe() is None
    assert panel.missing == "gone is not there any more: choose another"
    panel.offer([*STRATEGIES, Path("/s/gone.yaml")], SERIES)
    assert panel.chosen_strategy() == Path("/s/gone.yaml")
    assert panel.missing == ""
    panel.offer(STRATEGIES, [item for item in SERIES if item.path != "/data/GBPUSD_1h.parquet"])
    assert panel.missing.count("is not there any more: choose another") == 2


def test_answers_come_back_at_the_next_start_and_those_unknown_are_left_out(panel: BacktestPanel, qtbot: QtBot) -> None:
    for name, text in (("capitalAnswer", "777"), ("finerAnswer", "/data/a.parquet; /data/b.parquet"), ("moreSymbols", "GBPUSD")):
        line(panel, name).setText(text)
    other = BacktestPanel()
    qtbot.addWidget(other)
    other.offer(STRATEGIES, SERIES)
    other.restore({**panel.answers(), "of a later version": "x"}, {})
    assert other.recipe() == panel.recipe()
    assert other.recipe() != Recipe("/s/one.yaml", data=("/data/EURUSD_1h.parquet",))


def offered(panel: BacktestPanel) -> list[str]:
    return [panel.timeframe.itemText(place) for place in range(panel.timeframe.count())]


@pytest.mark.parametrize("own", ["1h", "60m"])
def test_the_candles_own_timeframe_is_offered_once_however_it_is_written(panel: BacktestPanel, own: str) -> None:
    as_they_are = offered(panel)
    panel.timeframe.want(own)
    assert offered(panel) == as_they_are
    assert panel.timeframe.currentIndex() == 0
    assert not panel.timeframe.note.isVisible()


def test_a_timeframe_that_other_candles_cannot_give_stays_wanted_and_says_so(panel: BacktestPanel, qtbot: QtBot) -> None:
    assert offered(panel) == ["1h · as the candles", "2h", "4h", "8h", "12h", "1d", "1w"]
    panel.timeframe.setFocus()
    with qtbot.waitSignal(panel.changed), qtbot.waitSignal(panel.seriesChosen) as told:
        QTest.keyClicks(panel.timeframe, "4h")
    assert told.args == [replace(SERIES[0], resample="4h")]
    panel.data.setCurrentIndex(2)  # of days
    asked = panel.recipe()
    assert asked
    assert (asked.resample, offered(panel)) == ("", ["1d · as the candles", "1w"])
    assert panel.timeframe.note.isVisible()
    assert panel.timeframe.note.text() == "4h cannot be made of 1d candles: they run as they are"
    again = BacktestPanel()
    qtbot.addWidget(again)
    again.restore(panel.answers(), {})
    again.offer(STRATEGIES, SERIES)
    assert again.shown_series() == replace(SERIES[0], resample="4h")
    again.data.setCurrentIndex(2)
    again.timeframe.activated.emit(0)  # as they are is what is wanted now
    again.data.setCurrentIndex(0)
    assert again.shown_series() == SERIES[0]


def test_an_amount_is_grouped_while_nobody_types_in_it_and_taken_either_way(panel: BacktestPanel, qtbot: QtBot) -> None:
    field, next_one = line(panel, "capitalAnswer"), line(panel, "currencyAnswer")
    panel.activateWindow()
    for typed, asked, left in (("250000", "250000", "250,000"), ("1,500,000.25", "1500000.25", "1,500,000.25"), ("1,5", "1,5", "1,5")):
        field.setFocus()
        qtbot.waitUntil(field.hasFocus)
        assert field.text().isdecimal() or "." in field.text(), "no separators in the way of who types"
        field.selectAll()
        QTest.keyClicks(field, typed)
        assert panel.answers()["capital"] == asked
        with qtbot.assertNotEmitted(panel.changed):
            next_one.setFocus()
        assert (field.text(), panel.answers()["capital"]) == (left, asked)


@given(st.text("0123456789,.- x", max_size=12))
def test_separators_of_thousands_say_nothing(text: str) -> None:
    assert ungrouped(grouped(text)) == ungrouped(text)
    assert grouped(ungrouped(text)) == grouped(text)


@given(st.lists(st.sampled_from(["1", "2", "3", ""]), max_size=20))
def test_what_was_answered_last_is_offered_first_and_nothing_twice(answers: list[str]) -> None:
    kept = Preferences()
    for answer in answers:
        kept = kept.answered({"capital": answer})
    said = [answer for answer in reversed(answers) if answer]
    assert list(kept.given.get("capital", ())) == list(dict.fromkeys(said))[:MOST_RECENT]


def test_answers_given_before_are_offered_while_one_types(panel: BacktestPanel, qtbot: QtBot) -> None:
    panel.restore({}, {"commission": ("3.5/lot", "0.002%")})
    field = line(panel, "commissionAnswer")
    field.setFocus()
    QTest.keyClicks(field, "3")
    popup = popup_of(field)
    assert popup.isVisible()
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert field.text() == "3.5/lot"


def test_further_symbols_are_completed_word_by_word(panel: BacktestPanel) -> None:
    field = line(panel, "moreSymbols")
    field.setFocus()
    QTest.keyClicks(field, "USDJPY g")
    popup = popup_of(field)
    assert [popup.model().index(row, 0).data() for row in range(popup.model().rowCount())] == ["GBPUSD"]
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert field.text() == "USDJPY GBPUSD"


# Days and files


def test_a_day_is_typed_or_picked_with_keys_alone(panel: BacktestPanel) -> None:
    field = panel.findChild(DateField, "startAnswer")
    assert field is not None
    field.first = QDate(2024, 3, 14)
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    calendar = panel.findChild(QCalendarWidget, "calendar")
    assert calendar is not None
    assert calendar.selectedDate() == QDate(2024, 3, 14)
    assert (calendar.locale().language(), calendar.firstDayOfWeek()) == (QLocale.Language.English, Qt.DayOfWeek.Monday)
    inner = QApplication.focusWidget()
    assert inner is not None
    QTest.keyClick(inner, Qt.Key.Key_Right)
    QTest.keyClick(inner, Qt.Key.Key_Return)
    assert field.text() == "2024-03-15"
    assert not any(popup.isVisible() for popup in panel.findChildren(CalendarPopup))
    field.selectAll()
    QTest.keyClicks(field, "2024-03-01")
    asked = panel.recipe()
    assert asked
    assert asked.start == "2024-03-01"


def test_files_are_picked_below_more_which_opens_at_what_is_wrong_in_it(panel: BacktestPanel, qtbot: QtBot) -> None:
    field = line(panel, "instrumentsAnswer")
    assert not field.isVisible()
    panel.resize(panel.width(), 300)
    panel.refuse("--finer-ask x.parquet: no such file")
    assert field.isVisible()
    assert panel.problem.text().startswith("Finer ask x.parquet")
    refused, scroll = line(panel, "finer_askAnswer"), panel.findChild(ColumnScroll)
    assert scroll is not None
    assert refused.property("tone") == "danger"
    assert refused.hasFocus()
    qtbot.waitUntil(lambda: _is_in_sight(refused, scroll))
    refused.setText("y.parquet")
    assert refused.property("tone") == ""
    assert panel.problem.text() == "", "it was about another answer"
    button = panel.findChild(QToolButton, "instrumentsPick")
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    dialog = panel.findChild(QFileDialog, "pickFileDialog")
    assert dialog is not None
    written = dialog.findChild(QLineEdit, "fileNameEdit")
    assert written is not None
    written.setText(str(HERE))
    QTest.keyClick(written, Qt.Key.Key_Return)
    asked = panel.recipe()
    assert asked
    assert asked.instruments == str(HERE)


def _is_in_sight(field: QLineEdit, scroll: ColumnScroll) -> bool:
    return scroll.viewport().rect().contains(QRect(field.mapTo(scroll.viewport(), QPoint()), field.size()))


# In the window


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with fresh_home(tmp_path_factory.mktemp("home")), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        driven.settle()
        yield driven


def test_the_choice_says_how_many_bars_from_when(opened: Driven) -> None:
    candles, panel = opened.window.page.chart.candles, opened.window.page.panel
    assert candles is not None
    assert panel.read.text() == f"{len(candles):,} bars, 2024-01-02 00:00 to 2024-05-31 20:00 UTC"
    assert panel.read.text() in panel.data.toolTip()


def test_the_choice_says_so_too_where_a_run_was_faster_than_the_reading(opened: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    def stuck(_desk: object, _series: object, heed: Callable[[], object] = lambda: None) -> None:
        work_until_asked(heed)

    window, panel = opened.window, opened.window.page.panel
    words, before = panel.read.text(), window.research.finished
    monkeypatch.setattr(type(window._desk), "candles", stuck)
    panel._series_changed()
    assert panel.read.isHidden()
    opened.click(opened.find(QPushButton, "runBacktestButton"))
    opened.until(lambda: window.research.finished is not before, "the run")
    opened.settle()
    assert not panel.read.isHidden()
    assert panel.read.text() == words


def test_a_kept_run_brings_its_answers_back_and_is_not_stale(opened: Driven) -> None:
    window, panel = opened.window, opened.window.page.panel
    panel.set_answer("spread", "1.5")
    panel.set_answer("start", "2024-02-01")
    panel.set_answer("resample", "4h")
    opened.until(lambda: window.page.chart.candles and window.page.chart.candles.timeframe == "4h", "longer candles")
    opened.click(opened.find(QPushButton, "runBacktestButton"))
    opened.until(lambda: window.research.finished, "the run")
    opened.settle()
    run_id, asked = window.selection.run.value, panel.recipe()
    assert asked
    panel.set_answer("spread", "0")
    panel.set_answer("start", "")
    panel.set_answer("resample", "")
    opened.settle()
    assert window.research.stale.value
    assert len(window.page.chart.candles or ()) > 2_500
    before = window.research.finished
    window.research.open_run(run_id)
    opened.until(lambda: window.research.finished is not before, "the kept run")
    opened.settle()
    assert panel.recipe() == asked
    assert window.research.stale.value == ""
    kept = window._preferences.now.value
    assert kept.given["spread"][0] == "1.5"
    assert asked == replace(asked, spread="1.5", start="2024-02-01", resample="4h")
    finished = window.research.finished
    assert finished
    assert window.page.chart.candles is finished.result.request.traded[0]
    assert window.page.chart.candles.timeframe == "4h"
    panel.show_recipe(replace(asked, spread="0", start="", resample=""))


def test_longer_candles_are_said_to_be_made_of_others_only_where_these_are_shorter() -> None:
    named = {longer: Series("EURUSD", "4h", source="catalogue", resample=longer).label for longer in ("", "4h", "8h")}
    assert named == {"": "EURUSD 4h · catalogue", "4h": "EURUSD 4h · catalogue", "8h": "EURUSD 8h of 4h · catalogue"}


def test_what_no_list_holds_is_asked_for_by_name() -> None:
    assert {*run_form.ELSEWHERE, "catalogue", "postgres"} == set(SOURCES)
    assert run_form.named_candles(" eurusd,15m ") == ("EURUSD", "15m")
    assert {run_form.named_candles(text) for text in ("", "EURUSD", "EURUSD h", "EURUSD 1h x")} == {None}


def test_files_are_those_that_the_command_line_would_read(tmp_path: Path) -> None:
    """By their own names, which say what candles are, also where they are links; and of a person nobody knows."""
    link = tmp_path / "EURUSD_1m_link.parquet"
    link.symlink_to(tmp_path / "kept elsewhere.bin")
    unknown = "~nobody knows/EURUSD_1m.parquet"
    assert run_form.BY_KEY["finer"].value(f"{link}; {unknown}") == (str(link), str(Path(unknown).absolute()))


def test_what_is_asked_for_otherwise_is_told_in_the_words_of_the_panel() -> None:
    before = Recipe("/s/ma.yaml", data=("/d/EURUSD_1h.parquet",))
    now = replace(
        before, strategy="/s/rsi.yaml", data=("/d/GBPUSD_1h.csv",), capital="25000", leverage="20", start="2024-02-01", fill="close"
    )
    assert run_form.differences(before.as_json(), now.as_json()) == [
        "the strategy is rsi now, was ma",
        "the candles are GBPUSD_1h.csv now, were EURUSD_1h.parquet",
        "From is 2024-02-01 now, was first bar",
        "Capital is 25,000 now, was 10,000",
        "Leverage is 20 : 1 now, was 30 : 1",
        "Fill is At the deciding close now, was At the next open",
    ]


def test_another_theme_leaves_the_panel_as_wide_as_it_was(opened: Driven) -> None:
    window, panel = opened.window, opened.window.page.panel
    before = panel.minimumSizeHint().width()
    preferences = window._preferences.now
    kept = preferences.value
    for palette in ("colour_blind", "standard"):
        preferences.set(replace(kept, palette=palette))
        opened.settle()
        assert panel.minimumSizeHint().width() == before


def test_words_of_another_size_keep_labels_whole_and_fields_in_one_line(opened: Driven) -> None:
    preferences = opened.window._preferences.now
    kept, panel = preferences.value, opened.window.page.panel
    for scale in (125, 175, 100):
        preferences.set(replace(kept, scale=scale))
        opened.settle()
        seen = [label for label in panel.findChildren(QLabel) if label.buddy() is not None and label.isVisible()]
        assert len(seen) > 8
        assert all(label.width() >= label.sizeHint().width() for label in seen), f"clipped at {scale} %"
        assert len({label.width() for label in seen}) == 1, f"fields stand apart at {scale} %"
