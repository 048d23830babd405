"""The limits of risk as bars with what is left beside them; a latched one says so, and how it is armed again."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from sptrader_desktop.present.live_risk import Gauge
from sptrader_desktop.ui.data.parts import button, label, row
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.badge import Badge
from sptrader_desktop.ui.widgets.column_scroll import ColumnScroll
from sptrader_desktop.ui.widgets.tile import Defined

FULL = 1000
TONES: dict[str, Tone] = {"danger": "danger", "warning": "warning"}


class RiskGauges(QWidget):
    """Each is drawn where it stood before, and only where it changed."""

    rearmAsked = Signal(str)  # a symbol, or nothing

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("liveRisk")
        self.setAccessibleName("Limits of risk")
        self.rows: dict[str, GaugeRow] = {}
        holder = QWidget()
        self._column = QVBoxLayout(holder)
        self._column.setContentsMargins(GRID * 2, GRID * 2, GRID * 2, GRID * 2)
        self._column.setSpacing(GRID * 3)
        self._column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(ColumnScroll(holder))

    def put(self, gauges: Sequence[Gauge]) -> None:
        if [gauge.key for gauge in gauges] != list(self.rows):
            self._lay_out(gauges)
        for gauge in gauges:
            self.rows[gauge.key].put(gauge)

    def _lay_out(self, gauges: Sequence[Gauge]) -> None:
        for old in self.rows.values():
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.rows = {gauge.key: GaugeRow(gauge) for gauge in gauges}
        for place, (gauge, made) in enumerate(zip(gauges, self.rows.values(), strict=True)):
            made.rearm.clicked.connect(lambda _=False, scope=gauge.scope: self.rearmAsked.emit(scope))
            self._column.insertWidget(place, made)


class GaugeRow(Defined):
    def __init__(self, gauge: Gauge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.define(gauge.tip)
        give(self, role="gauge")
        self._put: Gauge | None = None
        self._name, self._left, self._used = label("", wraps=False), label("", wraps=False), label("", "small", wraps=False)
        self.bar, self.latched = QProgressBar(), Badge()
        self.bar.setRange(0, FULL)
        self.bar.setTextVisible(False)
        self.rearm = button("gaugeRearmButton", "Re-arm…", "This limit was reached: nothing is entered until a person re-arms")
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addLayout(row(self._name, self.latched, 1, self._left))
        column.addWidget(self.bar)
        column.addLayout(row(self._used, 1, self.rearm))

    def put(self, gauge: Gauge) -> None:
        if gauge == self._put:
            return
        self._put = gauge
        tone = TONES.get(gauge.tone, "")
        self._name.setText(f"{gauge.scope} {gauge.title}".lstrip())
        self._left.setText(gauge.left)
        self._used.setText(gauge.used)
        self.bar.setVisible(gauge.fraction is not None)
        self.bar.setUpdatesEnabled(False)  # it would paint at once, alone
        self.bar.setValue(round(FULL * (gauge.fraction or 0.0)))
        self.bar.setUpdatesEnabled(True)
        self.bar.setAccessibleName(gauge.words)
        self.latched.show_word("LATCHED" if gauge.is_latched else "", "danger", "It stays shut until a person re-arms")
        self.rearm.setVisible(gauge.is_latched)
        self.setAccessibleName(gauge.words)
        give(self._left, tone=tone, role="" if gauge.fraction is not None else "muted")
        give(self.bar, tone=tone)
