"""A dataset under examination: its calendar, what was found, and a mended copy on request; the dataset itself is never changed."""

from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QScrollArea, QSizePolicy, QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.present.column_makers import count, word
from sptrader_desktop.present.columns import Columns
from sptrader_desktop.present.data_findings import KINDS, Inspection
from sptrader_desktop.present.data_report import verdict
from sptrader_desktop.present.datasets import DatasetRow
from sptrader_desktop.present.doctor import Doctored, RepairDone, finding_examples
from sptrader_desktop.present.listing import codes
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.ui.data.coverage_picture import CoveragePicture
from sptrader_desktop.ui.data.data_desk import DataDesk
from sptrader_desktop.ui.data.data_work import DataWork, forget
from sptrader_desktop.ui.data.datasets_panel import series_of
from sptrader_desktop.ui.data.parts import Foot, button, column, fill, form, label, line, named, row, side_form, text_table
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.beside import Beside
from sptrader_desktop.ui.widgets.empty_state import EmptyState

NONE = "The doctor looks at one dataset: its days as a calendar, everything doubtful in it, and a mended copy where rules can mend."
SOUND = "Nothing doubtful was found in these candles."
NO_REPAIR = "Only files are mended: what the catalogue and PostgreSQL hold was checked when it was kept."
NO_CHART = "No chart shows these candles while they are refused: what is wrong with which row stands under Findings."
TONES: dict[str | None, Tone] = {"refused": "danger", "doubtful": "warning"}
NO_LEDGER = "After a repair every changed row stands here, with what it was before."
NOT_YET = "What is found stands here when the dataset was examined."
LEDGER = ("Row", "Time", "Column", "Before", "After", "Rule")


class DoctorPanel(QWidget):
    datasetsAsked = Signal()
    momentAsked = Signal(object, object)  # Series, and an instant in microseconds UTC

    def __init__(self, desk: DataDesk, work: DataWork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("doctorPanel")
        self._desk, self._work = desk, work
        self.row: DatasetRow | None = None
        self.doctored: Doctored | None = None
        self.fixes: dict[str, QCheckBox] = {}
        self.picture = CoveragePicture()
        self._build()
        self.picture.spotChosen.connect(self._jump)

    def examine(self, item: DatasetRow) -> None:
        if item != self.row:
            self._forget()
        self.row, self.doctored = item, None
        self._seen.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._stack.setCurrentWidget(self._seen)
        self.title.setText(item.name)
        self.verdict.setText("")
        self._body.setEnabled(False)
        self.foot.say("")
        self._work.start("inspect", f"examining {item.name}", lambda _: self._desk.inspect(item), self._show, self.foot, late=forget)

    # What is shown

    def _forget(self) -> None:
        """What was found in one dataset never stands under the name of another."""
        self.picture.put(None)
        self.findings.show_waiting(NOT_YET)
        self.tabs.setTabText(1, "Findings")
        fill(self.ledger, LEDGER, ())
        self.ledger_note.setText(NO_LEDGER)

    def _show(self, doctored: Doctored) -> None:
        self.doctored = doctored
        self._body.setEnabled(True)
        found = doctored.inspection
        give(self.verdict, tone=TONES.get(found.worst, "up"))
        self.verdict.setText(verdict(found).capitalize())
        self.picture.put(doctored)
        self.findings.put(_finding_columns(found))
        self._offer_fixes(doctored)
        self.tabs.setTabText(1, f"Findings ({len(found.findings)})")
        self._calendar.verticalScrollBar().setValue(self._calendar.verticalScrollBar().maximum())

    def _offer_fixes(self, doctored: Doctored) -> None:
        for box in self.fixes.values():
            self._kinds.removeWidget(box)
            box.deleteLater()
        self.fixes = {}
        found = [finding for finding in doctored.inspection.findings if finding.kind in doctored.fixable]
        for finding in found:
            kind = KINDS[finding.kind]
            box = QCheckBox(f"{finding.kind}, {counted(finding.count, 'row')}")
            named(box, f"fix_{finding.kind}", box.text(), f"{kind.what.capitalize()}: {kind.advice}. Rule: {finding.rule}")
            box.setChecked(finding.kind in doctored.usual)
            self.fixes[finding.kind] = box
            self._kinds.addWidget(box)
        is_file = bool(self.row and self.row.path)
        self._nothing.setText(NO_REPAIR if not is_file else "" if found else "Nothing was found that a rule could mend.")
        self._nothing.setVisible(bool(self._nothing.text()))
        for widget in (self.out, self.mend, self.zone, self.shift):
            widget.setEnabled(is_file)
        give(self.mend, role="primary" if found else "")
        self.out.setText(_free_name(Path(self.row.path)) if self.row and self.row.path else "")
        self.out.setCursorPosition(0)

    def _jump(self, place: int) -> None:
        if self.doctored is None or self.row is None:
            return
        if self.doctored.inspection.worst == "refused":
            self.foot.say(NO_CHART, "warning")
            return
        item, opens = self.row, int(self.doctored.days.opens[place])
        self.momentAsked.emit(series_of(item), opens)

    # Repair

    def _mend(self) -> None:
        item = self.row
        if item is None or not item.path:
            return
        fixes = [kind for kind, box in self.fixes.items() if box.isChecked()]
        zone, shift = self.zone.text().strip(), self.shift.text().strip()
        if zone and shift:
            self.foot.say("Zone and Move both set the clock: give one of the two", "danger")
            return
        if not fixes and not zone and not shift:
            self.foot.say("Tick what is to be mended, or set the clock", "danger")
            return
        out = self.out.text().strip()
        if not out or Path(out).name != out:
            self.foot.say("New file: give a name without folders, it is written beside this one", "danger")
            return
        path = str(Path(item.path).with_name(out))
        title = f"mending {item.name}"
        work = self._work
        work.start(
            "repair", title, lambda _: self._desk.repair(item.path, path, fixes, zone, shift), partial(self._mended, item), self.foot
        )

    def _mended(self, item: DatasetRow, done: RepairDone) -> None:
        rows = "; ".join(f"{kind}, {counted(rows, 'row')}" for kind, rows in done.changes.items()) or "nothing was changed"
        said = f"{done.rows_before:,} rows became {done.rows_after:,} in {Path(done.out).name} ({rows}). {done.verdict.capitalize()}"
        self.foot.say(said if item == self.row else f"{item.name}: {said}", TONES.get(done.worst, "up"))
        if item == self.row:
            fill(self.ledger, LEDGER, done.ledger)
            self.ledger_note.setText(f"The first {len(done.ledger):,} changes; all of them are in {Path(done.ledger_path).name}")
            self.tabs.setCurrentIndex(2)
        self._work.changed.emit()

    # Building

    def _build(self) -> None:
        """From outside to inside, for what is moved with all it holds has its look worked out once more."""
        self._stack, self._seen = QStackedLayout(self), QWidget(self)
        self._seen.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)  # out of sight it needs no room
        self._stack.setContentsMargins(0, 0, 0, 0)
        empty = EmptyState("shield-check", "Doctor", NONE, "Choose a Dataset", self.datasetsAsked.emit)
        empty.button.setObjectName("doctorChooseButton")
        self._stack.addWidget(empty)
        self._stack.addWidget(self._seen)
        self.foot = Foot("doctor", self._seen)
        self.title, self.verdict = label("", "title"), label("")
        self.title.setObjectName("doctorTitle")
        self.verdict.setObjectName("doctorVerdict")
        self.ledger_note = label(NO_LEDGER, "muted")
        self._body = Beside(self._seen)
        self.tabs = QTabWidget(self._body)
        self._body.setObjectName("doctorBody")
        whole = QVBoxLayout(self._seen)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(column(self.title, self.verdict, self.foot))
        whole.addWidget(self._body, 1)
        self._body.addWidget(self._repair())
        self._body.setStretchFactor(0, 1)
        self._fill_tabs()
        self.foot.cancelAsked.connect(lambda: self._work.cancel("inspect", "repair"))

    def _fill_tabs(self) -> None:
        named(self.tabs, "doctorTabs", "What the doctor found")
        self._calendar, holder, ledger = QScrollArea(self.tabs), QWidget(), QWidget(self.tabs)
        self.findings = DataTable("findings", "Findings", SOUND, parent=self.tabs)
        self.ledger = text_table("ledgerTable", "Changes of the repair", ledger)
        self._calendar.setObjectName("coverageScroll")
        self._calendar.setFrameShape(QScrollArea.Shape.NoFrame)
        self._calendar.setWidgetResizable(True)
        self._calendar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._calendar.setWidget(holder)
        self.tabs.addTab(self._calendar, "Calendar")
        self.tabs.addTab(self.findings, "Findings")
        self.tabs.addTab(ledger, "Repair Ledger")
        holder.setLayout(column(self.picture, margin=0))
        ledger.setLayout(column(self.ledger_note, self.ledger, margin=2))

    def _repair(self) -> QWidget:
        self._kinds = QVBoxLayout()
        self._kinds.setSpacing(GRID)
        self._nothing = label("", "muted")
        self.zone = line("repairZone", "Zone of the stamps", "Europe/Athens", "The stamps are the wall clock of this zone: make them UTC")
        self.shift = line("repairShift", "Move every stamp", "+02:00", "By hours and minutes, such as -02:00")
        self.out = line("repairOut", "Name of the mended file")
        self.mend = button(
            "repairButton", "Write a Mended File", "A new file with its ledger beside it; this one is not touched", "primary"
        )
        self.mend.clicked.connect(lambda _=False: self._mend())
        answers = form()
        for text, field in (("Zone", self.zone), ("Move", self.shift), ("New file", self.out)):
            answers.addRow(text, field)
        inside = column(label("Repair", "title"), self._nothing, self._kinds, answers, row(self.mend, 1), 1)
        made = side_form(inside, "repairAnswers", 84 * GRID, self._body)
        made.setMaximumWidth(self.maximumWidth())  # below what was found it takes all of the width
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        return made


def _finding_columns(found: Inspection) -> Columns:
    items = found.findings
    return Columns(
        (
            word("kind", "Kind", *codes([item.kind for item in items])),
            word("severity", "Severity", *codes([item.severity for item in items])),
            count("count", "Count", np.array([item.count for item in items], np.int64)),
            word("what", "What", *codes([KINDS[item.kind].what for item in items])),
            word("rule", "Rule", *codes([item.rule for item in items])),
            word("examples", "Examples", *codes([finding_examples(item) for item in items])),
            word("advice", "To do", *codes([KINDS[item.kind].advice for item in items])),
        )
    )


def _free_name(path: Path) -> str:
    """Beside the file, by its scheme, so that it is recognised."""
    names = (f"{path.stem}_mended{number or ''}.parquet" for number in range(1000))
    return next(name for name in names if not path.with_name(name).exists())
