"""What a person keeps of markets from one start to the next, as one: drawn lines, templates, the watchlist and alerts."""

from collections.abc import Callable, Mapping

from sptrader_desktop.present.chart_indicators import Templates, templates_read, templates_written
from sptrader_desktop.present.drawings import DrawingBook, Drawings, drawings_read, drawings_written
from sptrader_desktop.ui.jobs import Jobs
from sptrader_desktop.ui.kept_value import DocumentStore, KeptValue


class KeptMarket:
    def __init__(self, store: DocumentStore, jobs: Jobs) -> None:
        no_lines: Mapping[str, Drawings] = {}
        no_templates: Templates = {}
        self.drawings = KeptValue("drawings", store, jobs, no_lines, drawings_read, drawings_written)
        self.templates = KeptValue("chart_templates", store, jobs, no_templates, templates_read, templates_written)
        self.book = DrawingBook(
            self.drawings.now.value, lambda symbol, lines: self.drawings.now.set({**self.drawings.now.value, symbol: lines})
        )
        self._all: tuple[KeptValue[Mapping[str, Drawings]] | KeptValue[Templates], ...] = (self.drawings, self.templates)

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(notice for kept in self._all for notice in kept.notices)

    def tell_failures(self, tell: Callable[[BaseException], object]) -> None:
        for kept in self._all:
            kept.failed = tell

    def flush(self) -> None:
        for kept in self._all:
            kept.flush()
