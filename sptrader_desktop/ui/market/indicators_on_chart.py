"""The indicators that a person put on one chart: computed beside the window, each by itself, the newest parameters first to last."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.present.chart_indicators import ChartIndicator, fitted
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.charts.line_series import Line
from sptrader_desktop.ui.charts.prepared import lines_of
from sptrader_desktop.ui.desk import Desk, Heed
from sptrader_desktop.ui.jobs import Job, Jobs

NUMBERS = count(1)
Answer = tuple[ChartIndicator, ChartIndicator, Sequence[Line]]  # as it was asked, as it was computed, and what came of it


@dataclass(slots=True, eq=False)
class Slot:
    """One indicator: what was asked, what came of it."""

    indicator: ChartIndicator
    number: int = field(default_factory=lambda: next(NUMBERS))
    lines: Sequence[Line] = ()
    fault: str = ""
    job: Job | None = None


class IndicatorsOnChart(QObject):
    changed = Signal()  # which there are, or what came of one
    failed = Signal(object, str)  # what is no person's fault, and at what

    def __init__(self, desk: Desk, jobs: Jobs, chart: CandleChart) -> None:
        super().__init__(chart)
        self._desk, self._jobs, self._chart = desk, jobs, chart
        self.slots: list[Slot] = []

    @property
    def indicators(self) -> tuple[ChartIndicator, ...]:
        return tuple(slot.indicator for slot in self.slots)

    def add(self, indicator: ChartIndicator) -> Slot:
        slot = Slot(indicator)
        self.slots.append(slot)
        self._compute(slot)
        self.changed.emit()
        return slot

    def set_params(self, slot: Slot, params: Mapping[str, Scalar]) -> None:
        slot.indicator = ChartIndicator(slot.indicator.dotted, params)
        self._compute(slot)
        self.changed.emit()

    def remove(self, slot: Slot) -> None:
        self._drop(slot)
        self.slots.remove(slot)
        self._draw()
        self.changed.emit()

    def put(self, indicators: Sequence[ChartIndicator]) -> None:
        """Instead of those there are."""
        for slot in self.slots:
            self._drop(slot)
        self.slots = [Slot(indicator) for indicator in indicators]
        self._draw()
        self.compute_all()

    def compute_all(self) -> None:
        """Over the candles that the chart shows now."""
        for slot in self.slots:
            slot.lines = ()
            self._compute(slot)
        self.changed.emit()

    def close(self) -> None:
        for slot in self.slots:
            self._drop(slot)
        self.slots = []

    def first_line(self, slot: Slot) -> int:
        """The number of its first line among all, by which they are coloured."""
        return sum(len(before.lines) or 1 for before in self.slots[: self.slots.index(slot)])

    def _compute(self, slot: Slot) -> None:
        candles = self._chart.candles
        if candles is None:
            return
        asked = slot.indicator
        kind = f"indicator {slot.number}"
        title = f"computing {asked.title}"
        slot.job = self._jobs.start(kind, title, lambda report: self._found(asked, candles, report.check), is_failure_shown=True)
        slot.job.finished.connect(self._heard(slot, candles, self._take))
        slot.job.failed.connect(self._heard(slot, candles, self._refuse))

    def _found(self, asked: ChartIndicator, candles: Candles, heed: Heed) -> Answer:
        """In a job."""
        indicator = fitted(asked, self._desk.catalogue().indicator(asked.dotted))
        curves = self._desk.indicator(indicator.dotted, indicator.params, candles, heed)
        return asked, indicator, lines_of(curves)

    def _heard(self, slot: Slot, candles: Candles, then: Callable[[Slot, Any], None]) -> Callable[[Any], None]:
        """Answers that nobody waits for any more are dropped: the slot is gone, or the chart shows other candles."""

        def hear(answer: Any) -> None:
            if slot in self.slots and self._chart.candles is candles:
                then(slot, answer)
                self._draw()
                self.changed.emit()

        return hear

    def _take(self, slot: Slot, answer: Answer) -> None:
        """Parameters that were set meanwhile stay: their answer is under way."""
        asked, indicator, slot.lines = answer
        slot.fault = ""
        if slot.indicator is asked:
            slot.indicator = indicator

    def _refuse(self, slot: Slot, error: BaseException) -> None:
        slot.lines = ()
        slot.fault = f"{slot.indicator.title}: {error}"
        if not isinstance(error, SptraderError | OSError):
            self.failed.emit(error, slot.indicator.title)

    def _draw(self) -> None:
        self._chart.set_overlays([line for slot in self.slots for line in slot.lines])

    def _drop(self, slot: Slot) -> None:
        """The buttons of a chart that is closed still know it."""
        if slot.job is not None and not slot.job.is_over:
            self._jobs.cancel(slot.job)
        slot.job, slot.lines = None, ()
