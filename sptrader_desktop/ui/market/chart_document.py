"""A chart of any candles, without a strategy: its timeframe, its indicators, and whether it moves with other charts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QVBoxLayout

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.core.resample import resample
from sptrader_desktop.present.chart_indicators import ChartIndicator, Templates
from sptrader_desktop.present.chart_tabs import ChartTab
from sptrader_desktop.present.chart_timeframes import longer_timeframes
from sptrader_desktop.present.drawings import DrawingBook
from sptrader_desktop.present.linked_charts import follow_zone, link
from sptrader_desktop.present.navigator import Kind, dataset_item
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.present.pyramid import Pyramid
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.desk import Desk, Series
from sptrader_desktop.ui.entry_list import Entry
from sptrader_desktop.ui.jobs import Job, Jobs, Report
from sptrader_desktop.ui.kept_value import KeptValue
from sptrader_desktop.ui.market.chart_bar import ChartBar
from sptrader_desktop.ui.market.indicator_form import IndicatorForm
from sptrader_desktop.ui.market.indicators_on_chart import IndicatorsOnChart, Slot
from sptrader_desktop.ui.market.picker import Picker
from sptrader_desktop.ui.navigator import dragged_item
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.widgets.composite import Composite
from sptrader_desktop.ui.widgets.empty_state import EmptyWords
from sptrader_desktop.ui.widgets.inset import inset
from sptrader_desktop.ui.widgets.notices import Notice
from sptrader_desktop.ui.widgets.words import Words

NUMBERS = count(1)
WAITING = EmptyWords("chart-candlestick", "Reading the candles …", "", "Look Again")


class ChartDocument(Composite):
    """`group` is what linked charts share; its zone is every chart's. With `before` it stands as it stood then, else in the timeframe to
    which `series` says. `missing` says why its candles are not there: then it stays empty until they are, or somebody asks again."""

    titleChanged = Signal(str)
    arranged = Signal()  # its `tab` may be another
    closeAsked = Signal()
    noticed = Signal(object)  # Notice
    failed = Signal(object, str)  # what is no person's fault, and at what

    def __init__(
        self,
        desk: Desk,
        jobs: Jobs,
        series: Series,
        group: Selection,
        book: DrawingBook,
        templates: KeptValue[Templates],
        before: ChartTab | None = None,
        missing: str = "",
    ) -> None:
        super().__init__()
        self.setObjectName("chartDocument")
        self.setAcceptDrops(True)
        self.series = replace(series, resample="")
        self._desk, self._jobs, self._group, self._templates = desk, jobs, group, templates
        self._kind, self._is_closed = f"chart {next(NUMBERS)}", False
        self._base: Candles | None = None
        self._wanted = before.timeframe if before else series.resample
        self._is_list_asked, self._is_missing = False, bool(missing)  # in the list of candles
        self._reading: Job | None = None
        self._tried: object = None  # the state of the file when it was read last
        self._moment: int | None = None  # to go to when there are candles
        own = Selection()
        lost = WAITING._replace(title=f"{series.symbol} {series.timeframe}: no candles", text=missing)
        self.chart = CandleChart(own, book, lost if missing else WAITING)
        self.chart.stepAsked.connect(self.read)
        self.indicators = IndicatorsOnChart(desk, jobs, self.chart)
        self.bar = ChartBar(series.symbol)
        self.problem = Words(wraps=True)
        self.problem.setObjectName("chartProblem")
        give(self.problem, tone="danger")
        self.picker = Picker("indicatorPicker", "Search indicators", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addLayout(inset(self.problem, 2, 1))
        column.addWidget(self.chart, 1)
        self.problem.hide()
        self.main_part = self.chart
        self._unlink: Callable[[], None] = lambda: None
        self.destroyed.connect(follow_zone(own, group))
        self.bar.link.setChecked(before is None or before.is_linked)  # in force when there are candles: an empty chart moves nobody
        self.indicators.put(before.indicators if before else ())
        self._join()
        self._show_indicators()
        if not missing:
            self.read()

    @property
    def title(self) -> str:
        return f"{self.series.symbol} {self.bar.timeframe or self.series.timeframe}"

    @property
    def tab(self) -> ChartTab:
        series = self.series
        key = dataset_item(series.symbol, series.timeframe, series.path, series.source).key
        return ChartTab(key, self._wanted, self.bar.link.isChecked(), self.indicators.indicators, series.side)

    # Commands

    def open_timeframes(self) -> None:
        """As soon as there are candles, of which longer ones can be made."""
        self._is_list_asked = self._base is None
        if not self._is_list_asked:
            self.bar.open_timeframes()

    def go_to(self, stamp: int) -> None:
        """As soon as there are candles."""
        self._moment = stamp if self._base is None else None
        if self._base is not None:
            self.chart.go_to(stamp)

    def open_indicators(self) -> None:
        self._start("list", "listing indicators", lambda _: self._entries(), self._pick)

    def add_indicator(self, dotted: str) -> None:
        def spec(_: object) -> ComponentSpec:
            return self._desk.catalogue().indicator(dotted)

        self._start(f"add {dotted}", f"adding {dotted}", spec, self._add)

    def set_linked(self, is_linked: bool) -> None:
        """Who joins goes to where the others are, as far as its candles reach."""
        self._unlink()
        self.chart.is_range_linked = is_linked
        span, stamps = self._group.span.value, self.chart.stamps
        if is_linked and span is not None and len(stamps) and span.last >= stamps[0] and span.first <= stamps[-1]:
            self.chart.selection.span.set(span)
        self._unlink = link(self.chart.selection, self._group) if is_linked else lambda: None

    def apply_template(self, name: str) -> None:
        self.indicators.put(self._templates.now.value[name])

    def save_template(self, name: str) -> None:
        if name.strip():
            self._templates.now.set({**self._templates.now.value, name.strip(): self.indicators.indicators})
            self.noticed.emit(Notice(f"The template {name.strip()} is kept: {counted(len(self.indicators.slots), 'indicator')}", "done"))

    def delete_template(self, name: str) -> None:
        """It comes back with Undo."""
        rest = dict(self._templates.now.value)
        gone = rest.pop(name)
        self._templates.now.set(rest)
        back = partial(self._bring_back_template, name, gone)
        self.noticed.emit(Notice(f"The template {name} was deleted", "done", "Undo", back))

    def _bring_back_template(self, name: str, indicators: tuple[ChartIndicator, ...]) -> None:
        """Beside those that were kept meanwhile; one that has its name by now stays."""
        self._templates.now.set({name: indicators, **self._templates.now.value})

    def close_document(self) -> None:
        self._is_closed = True
        self._unlink()
        self.indicators.close()
        for job in (*self._jobs.waiting, *self._jobs.running):
            if job.kind.startswith(f"{self._kind} "):
                self._jobs.cancel(job)
        self._base = self._reading = None
        self.chart.give_back()

    # Within

    def _join(self) -> None:
        bar = self.bar
        bar.timeframeChosen.connect(self._choose_timeframe)
        bar.link.toggled.connect(lambda _: self.arranged.emit())
        self.indicators.changed.connect(self.arranged)
        bar.indicatorsAsked.connect(self.open_indicators)
        bar.slotAsked.connect(self._open_form)
        bar.templatesAsked.connect(lambda: bar.open_templates(self._templates.now.value, can_save=bool(self.indicators.slots)))
        bar.templateWanted.connect(self.apply_template)
        bar.templateSaved.connect(self.save_template)
        bar.templateDeleted.connect(self.delete_template)
        bar.link.toggled.connect(self.set_linked)
        bar.closeAsked.connect(self.closeAsked)
        self.indicators.changed.connect(self._show_indicators)
        self.indicators.failed.connect(self.failed)
        self.chart.pictureFailed.connect(lambda words: self.noticed.emit(Notice(words, "error", key="picture")))

    def _start(self, what: str, title: str, work: Callable[[Any], Any], done: Callable[[Any], None]) -> Job:
        def heard(answer: Any) -> None:
            if not self._is_closed:
                done(answer)

        job = self._jobs.start(f"{self._kind} {what}", title, work, is_failure_shown=True)
        job.finished.connect(heard)
        job.failed.connect(lambda error: None if self._is_closed else self._say(error, title))
        return job

    def hear_of_list(self, *, is_listed: bool) -> None:
        """Candles that come, or whose file is another, are read; those that could not be read are not tried at every look."""
        if self._base is None:
            if is_listed and (self._is_missing or self._tried != _state_of(self.series)):
                self.read()
            self._is_missing = not is_listed

    def move_to(self, series: Series) -> None:
        """Its file is called otherwise now; under the name of another symbol or timeframe it holds other candles."""
        before, self.series = self.series, replace(series, resample="", side=self.series.side)
        self.bar.symbol.setText(series.symbol)
        self.titleChanged.emit(self.title)
        self.arranged.emit()
        if self._base is None or (before.symbol, before.timeframe) != (series.symbol, series.timeframe):
            self.read()

    def read(self) -> None:
        """Those that are there now."""
        self._tried = _state_of(self.series)
        if self.chart.empty.button.hasFocus():
            self.chart.setFocus()  # the keyboard stays here when the button goes
        self.chart.empty.say(WAITING.title, offers_step=False)
        self._show_problem("")

        def read(report: Report) -> tuple[Candles, Pyramid]:
            return _prepared(self._desk.candles(self.series, report.check))

        job = self._reading = self._start("candles", f"reading {self.series.label}", read, self._show_base)
        job.failed.connect(lambda _: self._tell_unread(job, "The candles could not be read"))
        job.cancelled.connect(lambda: self._tell_unread(job, "The candles were not read: it was stopped"))

    def _tell_unread(self, job: Job, words: str) -> None:
        if job is self._reading and not self._is_closed:
            self.chart.empty.say(words)

    def _show_base(self, prepared: tuple[Candles, Pyramid]) -> None:
        self._base, own = prepared[0], prepared[0].timeframe
        longer = longer_timeframes(own, self._wanted)
        self.bar.offer((own, *longer))
        self._show(prepared)
        self.set_linked(self.bar.link.isChecked())
        if self._wanted in longer:
            self.bar.show_timeframe(self._wanted)
            self._show_timeframe(self._wanted)
        if self._moment is not None:
            self.go_to(self._moment)
        if self._is_list_asked:
            self.open_timeframes()

    def _choose_timeframe(self, timeframe: str) -> None:
        self._wanted = timeframe
        self.arranged.emit()
        self._show_timeframe(timeframe)

    def _show_timeframe(self, timeframe: str) -> None:
        base = self._base
        if base is not None:
            self._start("candles", f"{base.symbol} in {timeframe}", lambda _: _prepared(_resampled(base, timeframe)), self._show)

    def _show(self, prepared: tuple[Candles, Pyramid]) -> None:
        candles, pyramid = prepared
        self.problem.hide()
        few = "These candles are too few for one: choose a shorter timeframe above"
        self.chart.empty.say(f"No bar of {candles.timeframe}", few, offers_step=False)
        self.chart.show_candles(candles, pyramid)
        self.bar.show_timeframe(candles.timeframe)
        self.titleChanged.emit(self.title)
        self.indicators.compute_all()

    def _say(self, error: BaseException, title: str) -> None:
        """On the chart; the timeframe goes back to what is shown."""
        if not isinstance(error, SptraderError | OSError):
            self.failed.emit(error, title)
        if self.chart.candles is not None:
            self.bar.show_timeframe(self.chart.candles.timeframe)
        self._show_problem(str(error))

    def _show_problem(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    # Indicators

    def _entries(self) -> Sequence[Entry]:
        """In a job."""
        catalogue = self._desk.catalogue()
        found = []
        for dotted in catalogue.indicators:
            spec, name = catalogue.found[dotted], dotted.rpartition(".")[2]
            title, reason = (spec.title, "") if isinstance(spec, ComponentSpec) else (name, "broken")
            found.append(Entry(dotted, title, partial(self.add_indicator, dotted), name, "", "square-function", reason))
        return sorted(found, key=lambda entry: entry.text.casefold())

    def _pick(self, entries: Sequence[Entry]) -> None:
        self.picker.open_below(self.bar.add, entries)

    def _add(self, spec: ComponentSpec) -> None:
        self.indicators.add(ChartIndicator(spec.dotted, spec.given({})))

    def _open_form(self, slot: Slot) -> None:
        def show(spec: ComponentSpec) -> None:
            if slot in self.indicators.slots and slot.indicator.params.keys() == spec.parameters.keys():
                form = IndicatorForm(spec, slot.indicator.params, self)
                form.paramsWanted.connect(partial(self.indicators.set_params, slot))
                form.removeWanted.connect(partial(self.indicators.remove, slot))
                form.open_below(self.bar.chip(slot) or self.bar)

        dotted = slot.indicator.dotted
        self._start("form", f"opening {dotted}", lambda _: self._desk.catalogue().indicator(dotted), show)

    def _show_indicators(self) -> None:
        self.bar.show_slots([(slot, self.indicators.first_line(slot)) for slot in self.indicators.slots])
        self._show_problem("\n".join(slot.fault for slot in self.indicators.slots if slot.fault))

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        dragged = dragged_item(event.mimeData())
        if dragged is not None and dragged[0] is Kind.INDICATOR:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        dragged = dragged_item(event.mimeData())
        if dragged is not None and dragged[0] is Kind.INDICATOR:
            event.acceptProposedAction()
            self.add_indicator(dragged[1])


def _state_of(series: Series) -> object:
    """Another where its file is; of what is no file nothing is known."""
    try:
        state = Path(series.path).stat() if series.path else None
    except OSError:
        return None
    return state and (state.st_mtime_ns, state.st_size)


def _prepared(candles: Candles) -> tuple[Candles, Pyramid]:
    return candles, Pyramid.of_prices(candles.prices)


def _resampled(base: Candles, timeframe: str) -> Candles:
    return base if timeframe == base.timeframe else resample(base, timeframe)
