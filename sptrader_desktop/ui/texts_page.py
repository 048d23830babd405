"""Everything that is text: what is opened and from where, new files from templates, and components computed as they are written."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.actions import ACTIONS
from sptrader_desktop.present.component_output import ComponentReport, failure_report
from sptrader_desktop.present.navigator import Item, Kind
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.text_files import TextKeeper
from sptrader_desktop.present.what_if import without_place
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.ui.backtest_panel import BacktestPanel
from sptrader_desktop.ui.desk import Desk, Heed, Series
from sptrader_desktop.ui.documents import Documents
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.editors.new_file_dialog import NewFileDialog
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from sptrader_desktop.ui.entry_list import Entry
from sptrader_desktop.ui.jobs import Jobs
from sptrader_desktop.ui.navigator import ICONS, Navigator
from sptrader_desktop.ui.research import Research
from sptrader_desktop.ui.widgets.notices import Notice, Notices


@dataclass(slots=True)
class _Applied:
    """What Apply wrote into the strategy of a run that was given parameters, and whether its text has them still."""

    recipe: Recipe
    kept: tuple[str, ...]  # of its parameters: they have no place in a text
    before: str
    text: str
    is_written: bool = True


class TextsPage(QObject):
    def __init__(
        self,
        desk: Desk,
        jobs: Jobs,
        research: Research,
        panel: BacktestPanel,
        chart: QWidget,
        keeper: TextKeeper,
        notices: Notices,
        zone: Observable[Zone],
    ) -> None:
        super().__init__(chart)
        self._desk, self._jobs, self._research, self._panel, self._notices = desk, jobs, research, panel, notices
        self.documents = Documents(chart, self._strategy_editor, self._component_editor, keeper)
        self._keeper, self._zone = keeper, zone
        self._catalogue: Catalogue | None = None  # as it was read last
        self._applied: _Applied | None = None
        self.navigator = Navigator(desk.items, desk.folders(), self._moved, self.documents.refuse_unsaved, zone)
        self.navigator.openWanted.connect(self.open_item)
        self.navigator.said.connect(lambda words: notices.tell(Notice(words, "done")))
        self.navigator.failed.connect(lambda words: notices.tell(Notice(words, "error")))
        self.navigator.listed.connect(self._list_again)
        self.documents.saved.connect(lambda _: self.navigator.refresh())
        self.documents.edited.connect(self._follow_undo)
        panel.seriesChosen.connect(lambda _: self._tell_data())
        research.runKept.connect(lambda _: self.navigator.refresh())
        panel.strategyChosen.connect(lambda _: self._know_components())

    def handlers(self) -> dict[str, Callable[..., object]]:
        return {
            "file.open": self._open_file,
            "file.edit_strategy": self._edit_strategy,
            "file.close": self.documents.close_current,
            "file.new_strategy": partial(self._new, Kind.STRATEGY),
            "file.new_indicator": partial(self._new, Kind.INDICATOR),
            "file.new_signal": partial(self._new, Kind.SIGNAL),
            **self.navigator.commands(),
            **{row.id: partial(self._on_editor, row.id) for row in ACTIONS if row.id.startswith(("editor.", "component."))},
        }

    def open_item(self, item: Item) -> None:
        if item.kind is Kind.RUN:
            self._research.open_run(item.key)
        elif item.kind is Kind.DATASET:
            self._panel.choose(None, next((one for one in self._panel.series if _is(one, item)), None))
            self.documents.show_chart()
        elif item.path is not None:
            self.documents.open(item.path)
            if item.kind is Kind.STRATEGY:
                self._panel.choose(item.path, None)

    def apply(self, text: str) -> None:
        """The numbers of the sliders into the text; undo takes them back, and saving stays with the person."""
        finished = self._research.finished
        if finished is None:
            return
        path = Path(finished.recipe.strategy)
        if self.documents.editor_of(path) is None and not path.exists():
            words = f"{path.name} is not there any more: run the strategy by its name of now, then turn its numbers"
            self._notices.tell(Notice(words, "warning"))
            return
        editor = self.documents.open(path)
        if editor.edit.text() == finished.text:
            editor.edit.take_text(text)
            kept = without_place(self._desk.examine(finished.text), finished.recipe.params)
            is_taken = self._panel.take_as_written(finished.recipe, kept)
            self._applied = _Applied(finished.recipe, kept, finished.text, text) if is_taken else None
        else:
            name = Path(finished.recipe.strategy).name
            self._notices.tell(Notice(f"{name} is another than it was in this run: run it again, then apply the numbers", "warning"))

    def entries(self) -> Iterable[Entry]:
        """For the palette: what there is by its name, as the navigator listed it last and opens it; candles become a chart."""
        for item in self.navigator.items:
            if item.kind is Kind.DATASET:
                yield Entry(item.key, item.name, partial(self.navigator.chartWanted.emit, item), item.note, icon=ICONS[item.kind])
            elif item.path is not None:
                words = " ".join((item.kind.value.capitalize(), *item.groups, item.note)).strip()
                yield Entry(item.key, item.name, partial(self.open_item, item), words, icon=ICONS[item.kind])

    def tell_drafts(self, opened: Collection[str]) -> None:
        """What was not saved when the program ended the last time, be it by a crash; what is `opened` again says so itself."""
        drafts = [draft for draft in self._keeper.drafts() if str(draft.path) not in opened]
        if drafts:
            names = ", ".join(draft.path.name for draft in drafts[-3:])
            self._notices.tell(
                Notice(
                    f"Not saved when the program ended: {names}",
                    "warning",
                    "Open",
                    lambda: [self.documents.open(one.path) for one in drafts],
                )
            )

    # Within

    def _follow_undo(self, path: Path) -> None:
        """Undo takes the parameters out of the text again, redo back into it: they are asked for where they are not written."""
        applied = self._applied
        if applied is None or str(path) != applied.recipe.strategy:
            return
        if self.documents.text_of(path) == (applied.before if applied.is_written else applied.text):
            applied.is_written = not applied.is_written
            if applied.is_written:
                self._panel.take_as_written(applied.recipe, applied.kept)
            else:
                self._panel.give_back(applied.recipe, applied.kept)

    def _strategy_editor(self) -> EditorPane:
        editor = StrategyEditor(self._desk.examine, self._keeper, self._zone)
        editor.know_components(self._catalogue)
        self._read_catalogue()
        return editor

    def _component_editor(self) -> EditorPane:
        editor = ComponentEditor(self._desk.examine_component, self._keeper, self._zone)
        editor.runWanted.connect(partial(self._compute, editor, self._desk.run_component, "computing"))
        editor.verifyWanted.connect(partial(self._compute, editor, self._desk.verify_component, "checking for look-ahead"))
        series = self._panel.shown_series()
        editor.set_data(series.label if series else "")
        return editor

    def _compute(
        self,
        editor: ComponentEditor,
        work: Callable[[Path, tuple[str, ...], Series, Heed], ComponentReport],
        doing: str,
        path: Path,
        params: tuple[str, ...],
    ) -> None:
        series = self._panel.shown_series()
        if series is None:
            return
        editor.show_running(f"{doing} {path.stem} …")
        job = self._jobs.start(
            "component", f"{doing} {path.stem}", lambda report: work(path, params, series, report.check), is_failure_shown=True
        )
        job.finished.connect(editor.show_report)
        job.failed.connect(lambda error: editor.show_report(_failed(path, error)))
        job.cancelled.connect(lambda: editor.show_report(_failed(path, SptraderError("it was stopped"))))

    def _know_components(self) -> None:
        if any(isinstance(editor, StrategyEditor) for editor in self.documents.editors):
            self._read_catalogue()

    def _read_catalogue(self) -> None:
        """Which components there are is read from many files: not on the window's thread."""
        self._jobs.start("catalogue", "reading components", lambda _: self._desk.catalogue()).finished.connect(self._take_catalogue)

    def _take_catalogue(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        for editor in self.documents.editors:
            if isinstance(editor, StrategyEditor):
                editor.know_components(catalogue)

    def _tell_data(self) -> None:
        series = self._panel.shown_series()
        for editor in self.documents.editors:
            if isinstance(editor, ComponentEditor):
                editor.set_data(series.label if series else "")

    def _list_again(self, items: tuple[Item, ...]) -> None:
        """Files came or went."""
        strategies = [item.path for item in items if item.kind is Kind.STRATEGY and item.path]
        self._panel.offer(strategies, [_series(item) for item in items if item.kind is Kind.DATASET])
        self._know_components()

    def _on_editor(self, command: str) -> None:
        editor = self.documents.current_editor
        if editor is not None and command in editor.commands():
            editor.commands()[command]()

    def _edit_strategy(self) -> None:
        chosen = self._panel.chosen_strategy()
        if chosen is not None:
            self.documents.open(chosen)

    def _open_file(self) -> None:
        dialog = QFileDialog(self.documents, "Open", str(self._desk.home_of(Kind.STRATEGY)))
        dialog.setObjectName("openDialog")
        dialog.setNameFilters(["Strategies and components (*.yaml *.yml *.py)", "All files (*)"])
        dialog.fileSelected.connect(lambda name: self.documents.open(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _new(self, kind: Kind) -> None:
        home = self._desk.home_of(kind)
        families = [] if kind is not Kind.INDICATOR or not home.parent.is_dir() else sorted(home.parent.iterdir())
        others = [folder for folder in families if folder.is_dir() and folder != home and not folder.name.startswith((".", "_"))]
        dialog = NewFileDialog(kind, [home, *others], self.documents)
        dialog.made.connect(self._made)
        dialog.open()

    def _made(self, path: Path) -> None:
        self.navigator.refresh()
        self.documents.open(path)

    def _moved(self, old: Path, new: Path) -> None:
        """Versions that cannot go along leave the editor and the choice no less to."""
        try:
            self._keeper.moved(old, new)
        finally:
            self.documents.moved(old, new)
            self._panel.renamed(old, new)


def _series(item: Item) -> Series:
    symbol, _, timeframe = item.name.partition(" ")
    return Series(symbol, timeframe, str(item.path)) if item.path else Series(symbol, timeframe, source=item.note)


def _is(series: Series, item: Item) -> bool:
    return series.path == str(item.path) if item.path else item.key == f"{series.source}:{series.symbol} {series.timeframe}"


def _failed(path: Path, error: BaseException) -> ComponentReport:
    return failure_report(f"{path.stem} was not computed", str(error), path)
