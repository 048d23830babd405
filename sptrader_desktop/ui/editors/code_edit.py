"""Where code is written: line numbers, underlined problems, brackets, indentation, zoom, completions; which language, subclasses say.

Positions outside of this file are characters as Python counts them.
"""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QToolTip, QWidget

from sptrader_desktop.present.code_lines import Utf16, matching_bracket
from sptrader_desktop.present.strategy_completion import Candidate
from sptrader_desktop.present.text_problems import Stretch, TextProblem
from sptrader_desktop.ui.editors import code_typing
from sptrader_desktop.ui.editors.completion_popup import CompletionPopup
from sptrader_desktop.ui.editors.gutter import Gutter
from sptrader_desktop.ui.editors.highlighter import Highlighter
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import BODY, GRID
from sptrader_desktop.ui.widgets.words import tip

LARGEST = 1024 * 1024  # no component may be larger, and no strategy comes near
ZOOMS = range(-4, 17)
CURRENT_LINE = 110  # of 255: words keep their contrast
WAVE = QTextCharFormat.UnderlineStyle.WaveUnderline
LAYERS = ("line", "found", "brackets", "problems")


class CodeEdit(QPlainTextEdit):
    """`refused` says why something was not done, `wordTyped` that completions may be wanted, `edited` that the text is another one: not its
    colours, of which Qt's own signals speak too."""

    zoomChanged = Signal(int)
    refused = Signal(str)
    wordTyped = Signal()
    edited = Signal()

    indent_width = 4

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._zoom = 0
        self._problems: tuple[TextProblem, ...] = ()
        self._layers: dict[str, list[QTextEdit.ExtraSelection]] = {}
        self._text: str | None = None
        self._places = Utf16("")
        self._gutter = Gutter(self, self)
        self.completions = CompletionPopup(self)
        self.installEventFilter(self.completions)
        self.highlighter = self.make_highlighter()
        self.completions.chosen.connect(self.complete_with)
        self.document().contentsChange.connect(self._text_changed)
        self.blockCountChanged.connect(self._fit_gutter)
        self.updateRequest.connect(self._move_gutter)
        self.cursorPositionChanged.connect(self._cursor_moved)
        self._take_look()

    # What a language brings

    def make_highlighter(self) -> Highlighter | None:
        return None

    def candidates(self, offset: int) -> tuple[int, Sequence[Candidate]]:
        """Where the word before the cursor starts, and what may take its place."""
        return offset, ()

    def help_at(self, _offset: int) -> str:
        return ""

    # The text

    def text(self) -> str:
        """To the character: Qt's own answer would turn protected spaces into common ones."""
        if self._text is None:
            self._text = self.document().toRawText().replace("\u2029", "\n")
            self._places = Utf16(self._text)
        return self._text

    def position_of(self, offset: int) -> int:
        """As Qt counts it."""
        self.text()
        return self._places.position_of(offset)

    def offset_at(self, position: int) -> int:
        """The character at one of Qt's positions."""
        self.text()
        return self._places.offset_at(position)

    def offset(self) -> int:
        """Of the cursor."""
        return self.offset_at(self.textCursor().position())

    def cursor_of(self, stretch: Stretch) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(self.position_of(stretch.start))
        cursor.setPosition(self.position_of(stretch.end), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def replace(self, stretch: Stretch, new: str) -> None:
        """One step to undo. The cursor stays where it is in the text."""
        self.cursor_of(stretch).insertText(new)

    def take_text(self, text: str) -> None:
        """Only the lines that differ are replaced, so that cursor, view and what can be undone stay."""
        old = self.text()
        if text == old:
            return
        start = next((at for at, (a, b) in enumerate(zip(old, text, strict=False)) if a != b), min(len(old), len(text)))
        most = min(len(old), len(text)) - start
        same = next((at for at in range(most) if old[-1 - at] != text[-1 - at]), most)
        self.replace(Stretch(start, len(old) - same), text[start : len(text) - same])

    def select(self, stretch: Stretch) -> None:
        self.setTextCursor(self.cursor_of(stretch))
        self.centerCursor()

    def go_to_line(self, line: int) -> None:
        """The first is 1; beyond the last there is only the last."""
        block = self.document().findBlockByNumber(min(max(line, 1), self.blockCount()) - 1)
        self.setTextCursor(QTextCursor(block))
        self.centerCursor()
        self.setFocus()

    # Problems

    def show_problems(self, problems: Sequence[TextProblem]) -> None:
        self._problems = tuple(problems)
        wave = QTextCharFormat()
        wave.setUnderlineStyle(WAVE)
        wave.setUnderlineColor(look().colour("danger"))
        self.mark("problems", [problem.at for problem in problems], wave)
        self._gutter.update()

    def problems(self) -> tuple[TextProblem, ...]:
        return self._problems

    def lines_with_problems(self) -> set[int]:
        return {self.cursor_of(problem.at).blockNumber() for problem in self._problems}

    def next_problem(self, step: int = 1) -> TextProblem | None:
        """The one behind the cursor (or before it with -1), round and round."""
        places = [problem.at.start for problem in self._problems]
        if not places:
            return None
        here = self.offset_of_selection()
        later = [at for at in places if at > here] if step > 0 else [at for at in places if at < here]
        wanted = (min(later) if step > 0 else max(later)) if later else (min(places) if step > 0 else max(places))
        problem = self._problems[places.index(wanted)]
        self.select(problem.at)
        return problem

    def offset_of_selection(self) -> int:
        return self.offset_at(self.textCursor().selectionStart())

    def mark(self, layer: str, stretches: Sequence[Stretch], style: QTextCharFormat) -> None:
        selections = []
        for stretch in stretches:
            selection = QTextEdit.ExtraSelection()
            selection.cursor, selection.format = self.cursor_of(stretch), style
            selections.append(selection)
        self._layers[layer] = selections
        self.setExtraSelections([each for name in LAYERS for each in self._layers.get(name, [])])

    def marked(self, layer: str) -> list[str]:
        return [each.cursor.selectedText() for each in self._layers.get(layer, [])]

    # Completions and help

    def offer_completions(self) -> None:
        if self.isReadOnly():
            return
        _, found = self.candidates(self.offset())
        at = self.cursorRect()
        at.translate(self.viewport().pos())
        self.completions.offer(found, at)

    def complete_with(self, new: str) -> None:
        start, _ = self.candidates(self.offset())
        following = self.text()[self.offset() : self.offset() + 1]
        self.replace(Stretch(start, self.offset()), new.rstrip(": ") if following == ":" else new)

    def help_here(self) -> str:
        """About what is under the cursor: its problem first."""
        return self._said_at(self.offset())

    def show_help(self) -> None:
        """F1: beside the cursor, until something else is done."""
        said = self.help_here() or "Nothing is known about this word."
        QToolTip.showText(self.viewport().mapToGlobal(self.cursorRect().bottomLeft()), tip(said), self)

    def _said_at(self, offset: int) -> str:
        wrong = [problem.message for problem in self._problems if problem.at.start <= offset <= problem.at.end]
        return "\n".join([*wrong, *filter(None, [self.help_at(offset)])])

    # Typing

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.completions.takes(event):
            return
        if event.matches(QKeySequence.StandardKey.Paste) or self.isReadOnly() or not code_typing.typed(self, event, self.indent_width):
            super().keyPressEvent(event)
        is_letter = bool(event.text()) and event.text().isprintable() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if is_letter or (self.completions.isVisible() and event.key() in {Qt.Key.Key_Backspace, Qt.Key.Key_Delete}):
            self.wordTyped.emit()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Text only, and not more of it than the program would read."""
        pasted = source.text()
        if len(self.text()) + len(pasted) > LARGEST:
            size = f"{len(pasted) / LARGEST:.1f}"
            self.refused.emit(f"{size} million characters were not pasted: a file may hold one million. Paste what is needed of it.")
            return
        self.textCursor().insertText(pasted.replace("\r\n", "\n").replace("\r", "\n"))
        self.ensureCursorVisible()

    def toggle_comment(self) -> None:
        code_typing.toggle_comment(self)

    # Zoom

    def zoom_by(self, steps: int) -> None:
        self.set_zoom(self._zoom + steps)

    def zoom(self) -> int:
        return self._zoom

    def set_zoom(self, zoom: int) -> None:
        zoom = min(max(zoom, ZOOMS[0]), ZOOMS[-1])
        if zoom != self._zoom:
            self._zoom = zoom
            self._take_look()
            self.zoomChanged.emit(zoom)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    # Qt

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._hover(event)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_gutter"):
            self._take_look()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Problems that are listed below take room: the line that is being typed stays in sight."""
        was_seen = QRect(QPoint(), event.oldSize()).contains(self.cursorRect())
        super().resizeEvent(event)
        self._fit_gutter()
        if was_seen:
            self.ensureCursorVisible()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.completions.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._paint_current_line()
        super().paintEvent(event)

    def visible_lines(self) -> Iterator[tuple[int, int, int]]:
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= self.viewport().height():
            height = self.blockBoundingRect(block).height()
            if block.isVisible():
                yield block.blockNumber(), round(top), round(height)
            top, block = top + height, block.next()

    def _paint_current_line(self) -> None:
        if self.isReadOnly() or not self.hasFocus():
            return
        at = self.cursorRect()
        painter = QPainter(self.viewport())
        painter.fillRect(QRect(0, at.top(), self.viewport().width(), at.height()), look().colour("hover", CURRENT_LINE))

    def _hover(self, event: QHelpEvent) -> None:
        cursor = self.cursorForPosition(self.viewport().mapFromGlobal(event.globalPos()))
        said = self._said_at(self.offset_at(cursor.position())) if not cursor.atBlockEnd() else ""
        if said:
            QToolTip.showText(event.globalPos(), tip(said), self)
        else:
            QToolTip.hideText()

    def _take_look(self) -> None:
        # The size of the text is the reader's: it starts at one of the three and goes where the wheel takes it.
        font = look().font(BODY + self._zoom, fixed=True)
        # Code shows the signs that are there: != is two of them.
        font.setFeature(QFont.Tag("calt"), 0)
        self.setFont(font)
        self.setTabStopDistance(self.fontMetrics().horizontalAdvance(" " * self.indent_width))
        if self.highlighter is not None:
            self.highlighter.take_look()
        self.show_problems(self._problems)
        self._show_brackets()
        self._fit_gutter()

    def _text_changed(self) -> None:
        self._text = None
        self.edited.emit()

    def _cursor_moved(self) -> None:
        self._show_brackets()
        self._gutter.update()
        if self.hasFocus():
            self.viewport().update()

    def _show_brackets(self) -> None:
        found = matching_bracket(self.text(), self.offset())
        style = QTextCharFormat()
        places = [] if found is None else [at for at in found if at is not None]
        role = "selected" if len(places) == 2 else "danger"
        style.setBackground(look().colour(role))
        if len(places) == 1:
            style.setForeground(look().colour("field"))
        style.setProperty(QTextFormat.Property.UserProperty, role)
        self.mark("brackets", [Stretch(at, at + 1) for at in places], style)

    def _fit_gutter(self) -> None:
        width = self._gutter.needed_width()
        self.setViewportMargins(width + GRID, 0, 0, 0)
        inner = self.contentsRect()
        self._gutter.setGeometry(QRect(inner.left(), inner.top(), width, self.viewport().height()))

    def _move_gutter(self, area: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(QRect(QPoint(0, area.top()), QPoint(self._gutter.width(), area.bottom())))
