"""Why the chosen bar did what it did: the explanation's own lines, part by part, passed and failed by mark, word and colour."""

from html import escape

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QTextBrowser, QToolButton, QVBoxLayout, QWidget

from sptrader_desktop.core.explained import Explanation
from sptrader_desktop.present.explanation import MARKS, explanation_parts, explanation_text
from sptrader_desktop.present.numbers import unbroken
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.badge import Badge
from sptrader_desktop.ui.widgets.composite import Composite
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.empty_state import EmptyState

NEED = "→"  # what would have had to differ
TONES = {MARKS[True]: "up", MARKS[False]: "down", MARKS[None]: "muted", NEED: "accent"}
BEFORE = "The conditions, checks and orders of any bar of a backtest will be here."
AFTER = "Click any bar of the chart, or go from decision to decision."
BUTTONS = (
    ("explainPreviousButton", "chevron-left", "Explain the decision before (Shift+F7)"),
    ("explainNextButton", "chevron-right", "Explain the next decision (F7)"),
    ("explainCopyButton", "copy", "Copy the explanation as text"),
)


class ExplainPane(Composite):
    """`stepAsked` asks for the next decision, or with False for the one before."""

    stepAsked = Signal(bool)
    runAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("explainPane")
        self._shown: Explanation | str = ""
        self._text, self._bar, self._guess, self._stale = QTextBrowser(), ElidedLabel(), Badge(), Badge()
        self._text.setObjectName("explainText")
        self._text.setAccessibleName("Explanation of the chosen bar")
        self._text.setOpenLinks(False)
        self._text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self._text.document().setDocumentMargin(GRID * 3)
        self._bar.setObjectName("explainedBar")
        self._guess.setObjectName("explainGuess")
        self._stale.setObjectName("explainStale")
        self.main_part = self._text
        self._lay_out()

    def show_explanation(self, explained: Explanation) -> None:
        self._shown = explained
        self._paint()

    def invite(self) -> None:
        """There is a run, and no bar of it is chosen."""
        self._shown = ""
        self._stack.setCurrentIndex(1)

    def refuse(self, words: str) -> None:
        """Instead of an explanation: why there is none."""
        self._shown = words
        self._paint()

    def set_stale(self, reason: str) -> None:
        self._stale.show_word("STALE" if reason else "", "warning", f"Of the run as it was: {reason}" if reason else "")

    def set_guess(self, *, is_guess: bool) -> None:
        self._guess.show_word("WHAT IF" if is_guess else "", "accent", "Of the numbers of What If, as the chart" if is_guess else "")

    def text(self) -> str:
        """As it is copied."""
        return explanation_text(self._shown) if isinstance(self._shown, Explanation) else self._shown

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self._shown:
            self._paint()
        super().changeEvent(event)

    def _paint(self) -> None:
        if isinstance(self._shown, str):
            self._bar.show_text("Not explained")
            self._text.setHtml(f'<p style="color:{_tone("danger")}">{escape(self._shown)}</p>')
        else:
            parts = explanation_parts(self._shown)
            self._bar.show_text(parts[0][0].partition(":")[0])
            self._text.setHtml("".join(_part(heading, lines) for heading, *lines in parts))
        self._stack.setCurrentIndex(2)

    def _lay_out(self) -> None:
        before = EmptyState("lightbulb", "Nothing to explain yet", BEFORE, "Run Backtest  F5", self.runAsked.emit)
        before.button.setObjectName("explainStep")
        after = EmptyState("lightbulb", "Which bar?", AFTER, "Next Decision  F7", lambda: self.stepAsked.emit(True))
        after.button.setObjectName("explainFirstButton")
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head())
        column.addWidget(self._text, 1)
        self._stack = QStackedLayout(self)
        for page in (before, after, full):
            self._stack.addWidget(page)

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(GRID * 3, GRID, GRID, GRID)
        head.setSpacing(GRID)
        give(self._bar, role="small")
        head.addWidget(self._bar, 1)
        head.addWidget(self._guess)
        head.addWidget(self._stale)
        for name, drawing, words in BUTTONS:
            button = QToolButton()
            button.setObjectName(name)
            button.setIcon(icon(drawing))
            button.setToolTip(words)
            button.setAccessibleName(words)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            give(button, role="flat")
            button.clicked.connect(lambda _=False, name=name: self._press(name))
            head.addWidget(button)
        return head

    def _press(self, name: str) -> None:
        if name == "explainCopyButton":
            QGuiApplication.clipboard().setText(self.text())
        else:
            self.stepAsked.emit(name == "explainNextButton")


def _part(heading: str, lines: list[str]) -> str:
    return f'<p style="margin:{GRID * 2}px 0 {GRID}px 0"><b>{escape(heading)}</b></p>' + "".join(map(_line, lines))


def _line(line: str) -> str:
    """An indent of two more is one level deeper; what would have had to differ stands out."""
    words = line.strip()
    depth = max(0, (len(line) - len(line.lstrip())) // 2 - 1)
    tone = next((tone for mark, tone in TONES.items() if words.startswith(mark)), "text")
    ground = f"; background-color:{_tone('raised')}; font-weight:600" if words.startswith(NEED) else ""
    return f'<p style="margin:0 0 {GRID // 2}px {GRID * 4 * depth}px; color:{_tone(tone)}{ground}">{escape(unbroken(words))}</p>'


def _tone(role: str) -> str:
    return look().colour(role).name()
