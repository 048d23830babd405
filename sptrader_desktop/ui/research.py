"""What happens when a person researches: candles are shown, a run is made, guessed at and explained. Panes hear of it by signals.

One job of each kind at a time, the newest wins; nothing here draws, and nothing here reads or computes on the window's thread.
"""

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from sptrader_desktop.present.numbers import counted
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.run_form import differences
from sptrader_desktop.present.selection import BarAt, Selection
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.ui.charts.prepared import Drawing, drawing_of, lines_of
from sptrader_desktop.ui.desk import Desk, Finished, Series
from sptrader_desktop.ui.jobs import Job, Jobs, Report

if TYPE_CHECKING:
    from sptrader_desktop.core.simulation import Progress


LOG = logging.getLogger("sptrader.research")
ENGINE = "the engine is getting ready; once after an update it takes half a minute"
RESTED_MS = 150  # a hand that moves a slider has come to rest


class Research(QObject):
    candlesAsked = Signal(object)  # Series
    candlesReady = Signal(object)  # Candles
    candlesLeft = Signal(object)  # the Series that was asked for last, when somebody stopped its reading
    runStarted = Signal(object)  # Job
    runEnded = Signal()  # finished, failed or cancelled
    runFinished = Signal(object)  # Finished
    runKept = Signal(str)  # the id
    linesReady = Signal(object, object)  # the Candles and the list[Line] of what the signals of what is shown looked at
    textRead = Signal(object, object)  # StrategyText of the run, as `Desk.examine_run` has it, and the Catalogue
    guessing = Signal(bool)  # a guess is being computed
    guessed = Signal(object)  # Drawing, or None when the guess is forgotten
    explained = Signal(object)  # Explanation
    outsideKnown = Signal()
    failed = Signal(str, object)  # of what, the exception

    def __init__(self, desk: Desk, jobs: Jobs, selection: Selection, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._jobs, self._selection = desk, jobs, selection
        self.finished: Finished | None = None
        self.drawing: Drawing | None = None  # of the run
        self.guess: Drawing | None = None
        self._fresh: Finished | None = None  # a run that nothing has followed yet
        self._explained: Drawing | None = None  # of which the chosen bar was explained last
        self._curved: Drawing | None = None  # of which the indicators were asked for last
        self._resting = QTimer(self, singleShot=True, interval=RESTED_MS)
        self._resting.timeout.connect(lambda: self.ask_curves(self._selection.symbol.value))
        self._reading: Job | None = None  # of the series that was asked for last
        self._guesses = 0
        self.stale = Observable("")
        self._outside = ""  # what has changed on the disk since the run
        self._to_keep: deque[Finished] = deque()  # the first of them is being kept
        self.destroyed.connect(selection.bar.watch(self.explain))

    def show_series(self, series: Series) -> Job:
        """Candles without a run."""
        title = f"reading {series.label}"
        job = self._start("candles", title, lambda report: self._desk.candles(series, report.check), self.candlesReady.emit, is_last=True)
        self._reading = job
        for ended in (job.finished, job.failed, job.cancelled):
            ended.connect(lambda *_: self._tell_left(series, job))
        self.candlesAsked.emit(series)
        return job

    def forget_series(self) -> None:
        """Candles that are still read are not wanted any more."""
        self._cancel("candles")

    def _tell_left(self, series: Series, job: Job) -> None:
        """Not at the end of the window, when nobody is there to be told."""
        if job is self._reading and job.report.is_asked_to_stop and not self._jobs.is_closed:
            self.candlesLeft.emit(series)

    def run(self, recipe: Recipe, text: str) -> Job:
        def work(report: Report) -> Finished:
            return self._desk.backtest(recipe, text, lambda progress: report(progress.fraction, _words(progress)), report.check)

        return self._begin(work, "backtest")

    def open_run(self, run_id: str) -> Job:
        """A kept run as if it had just been made."""

        def work(report: Report) -> Finished:
            return self._desk.open_run(run_id, lambda progress: report(progress.fraction, _words(progress)), report.check)

        return self._begin(work, f"opening {run_id}")

    def _begin(self, make: Callable[[Report], Finished], title: str) -> Job:
        before = self.drawing

        def work(report: Report) -> tuple[Finished, Drawing]:
            self._desk.wait_for_engine(lambda: report(0.0, ENGINE))
            finished = make(report)
            return finished, drawing_of(finished.result, before)

        self.forget_guess()
        job = self._start("backtest", title, work, self._done)
        for ended in (job.finished, job.failed, job.cancelled):
            ended.connect(self._tell_end)
        self.runStarted.emit(job)
        return job

    def what_if(self, text: str) -> None:
        """Another text over the candles of the last run."""
        finished = self.finished
        if finished is not None:
            guess, drawing = self._desk.what_if, self.drawing
            job = self._start("what-if", "what-if", lambda report: drawing_of(guess(finished, text, report.check), drawing), self._guessed)
            self._guesses += 1
            for ended in (job.finished, job.failed, job.cancelled):
                ended.connect(lambda *_: self._guess_ended(job))
            self.guessing.emit(True)

    def ask_curves(self, symbol: str) -> None:
        """What the signals of what is shown looked at, over the candles of that symbol."""
        self._curved = shown = self.shown
        candles = next((item for item in shown.result.request.traded if item.symbol == symbol), None) if shown else None
        if shown is not None and candles is not None:
            result, show = shown.result, partial(self.linesReady.emit, candles)
            self._start(
                "curves", "indicators", lambda report: lines_of(self._desk.curves(result, symbol, report.check)), show, is_last=True
            )

    def forget_guess(self) -> None:
        self._cancel("what-if")
        self._drop_guess()

    def _drop_guess(self) -> None:
        if self.guess is not None:
            self.guess = None
            self.guessed.emit(None)

    def explain(self, bar: BarAt | None) -> None:
        self._explained = shown = self.shown
        if bar is None or shown is None:
            return
        result = shown.result
        self._start("explain", "explanation", lambda _: self._desk.explain(result, bar.symbol, bar.stamp), self.explained.emit)

    @property
    def shown(self) -> Drawing | None:
        """What the charts draw, and what is explained: the guess while there is one, else the run."""
        return self.guess or self.drawing

    @property
    def is_running(self) -> bool:
        return any(job.kind == "backtest" for job in (*self._jobs.waiting, *self._jobs.running))

    def cancel(self) -> None:
        self._cancel("backtest", "what-if")

    def compare(self, recipe: Recipe | None, text: str, missing: str = "") -> None:
        """Is the result of what is chosen now? Each difference is a line; `missing` says why there is nothing to compare."""
        finished = self.finished
        if finished is None:
            return
        if recipe is None or missing:
            self.stale.set(missing)
        elif recipe != finished.recipe:
            self.stale.set("\n".join(differences(finished.recipe.as_json(), recipe.as_json())))
        else:
            self.stale.set("its strategy was edited since" if text != finished.text else self._outside)

    def look_outside(self) -> None:
        """Has anything changed on the disk since the run? `outsideKnown` follows where the answer is another than before."""
        finished = self.finished
        if finished is not None:
            self._start("changes", "looking for changes", lambda _: (finished, self._desk.changed_since(finished)), self._take_outside)

    def _take_outside(self, found: tuple[Finished, str]) -> None:
        finished, why = found
        if finished is self.finished and why != self._outside:
            self._outside = why
            self.outsideKnown.emit()

    def _start(
        self, kind: str, title: str, work: Callable[[Report], Any], finished: Callable[[Any], None], *, is_last: bool = False
    ) -> Job:
        """`is_last`: what is under way of that kind is not wanted any more."""
        job = self._jobs.start(kind, title, work, is_failure_shown=True, cancels_running=is_last)
        # What was done before it heard of the stop is not wanted any more.
        job.finished.connect(lambda answer: None if job.report.is_asked_to_stop else finished(answer))
        job.failed.connect(lambda error: None if job.report.is_asked_to_stop else self._failed(kind, error))
        return job

    def _tell_end(self) -> None:
        """Of the last one: a newer run may be at work, or wait, where one was replaced."""
        if not self.is_running:
            self.runEnded.emit()

    def _failed(self, kind: str, error: BaseException) -> None:
        LOG.warning("%s: %s", kind, error)
        if kind == "what-if":
            self._drop_guess()  # it was of other numbers than the sliders have now
        self.failed.emit(kind, error)

    def _cancel(self, *kinds: str) -> None:
        for job in (*self._jobs.waiting, *self._jobs.running):
            if job.kind in kinds:
                self._jobs.cancel(job)

    def _done(self, made: tuple[Finished, Drawing]) -> None:
        self.follow_up()  # of a run that was not seen yet, so that it is kept all the same
        self.forget_guess()  # of the run before
        self.finished, self.drawing = made
        finished = made[0]
        self._selection.run.set("")
        LOG.info("%s made %s", finished.result.request.strategy.name, counted(len(finished.result.outcome.trades), "trade"))
        self._outside = ""
        self.stale.set("")
        self._fresh = finished
        self.runFinished.emit(finished)

    def follow_up(self) -> None:
        """What comes after a result or a guess; once it is seen, because it is what the person waits for."""
        finished, self._fresh = self._fresh, None
        if finished is not None:
            self._follow_run(finished)
        if self._explained is not self.shown:
            self.explain(self._selection.bar.value)
        if self._curved is not self.shown:
            self._resting.start()

    def _follow_run(self, finished: Finished) -> None:
        desk, words = self._desk, "the strategy's numbers"
        self._start("numbers", words, lambda _: (desk.examine_run(finished), desk.catalogue()), lambda read: self.textRead.emit(*read))
        self.ask_curves(self._selection.symbol.value)
        if finished.run_id:
            self._kept(finished.run_id, finished)
        else:
            self._to_keep.append(finished)
            if len(self._to_keep) == 1:
                self._keep_next()

    @property
    def is_keeping(self) -> bool:
        return bool(self._to_keep)

    def _keep_next(self) -> None:
        """One after the other: to keep a run takes longer than to make it, and each that was shown is kept."""
        if self._to_keep:
            finished = self._to_keep[0]
            job = self._jobs.start("keep", "keeping the run", lambda _: self._desk.keep(finished), is_failure_shown=True)
            job.finished.connect(lambda run_id: self._kept(run_id, finished))  # also where somebody asked for the stop: it is there
            job.failed.connect(lambda error: self._failed("keep", error))
            for ended in (job.finished, job.failed, job.cancelled):
                ended.connect(lambda *_: self._keep_others())

    def _keep_others(self) -> None:
        self._to_keep.popleft()
        self._keep_next()

    def _kept(self, run_id: str, finished: Finished) -> None:
        """What is shown has its own name, and not that of the run before."""
        LOG.info("the run is kept as %s", run_id)
        if finished is self.finished:
            self._selection.run.set(run_id)
        self.runKept.emit(run_id)

    def _guess_ended(self, job: Job) -> None:
        self._guesses -= 1
        if not self._guesses and job.report.is_asked_to_stop:
            self._drop_guess()  # the newest never came, and what is shown is of the numbers before
        self.guessing.emit(self._guesses > 0)

    def _guessed(self, guess: Drawing) -> None:
        self.guess = guess
        self.guessed.emit(guess)


def _words(progress: "Progress") -> str:
    return f"{counted(progress.trades, 'trade')}, equity {progress.equity / 1e8:,.0f}"
