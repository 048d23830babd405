"""Find and replace in one editor. Patterns are run by Qt's engine, which gives up instead of thinking for minutes."""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from PySide6.QtCore import QEvent, QObject, QRegularExpression, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QLineEdit, QPushButton, QToolButton, QWidget

from sptrader_desktop.present.text_problems import Stretch
from sptrader_desktop.ui.editors.code_edit import CodeEdit
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID

MOST = 2000
REST_MS = 120
Option = QRegularExpression.PatternOption


class FindBar(QWidget):
    closed = Signal()

    def __init__(self, edit: CodeEdit, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("findBar")
        self._edit = edit
        self._found: list[Stretch] = []
        self._fault = ""
        self._rest = QTimer(self, interval=REST_MS, singleShot=True)
        self._rest.timeout.connect(self.search)
        self.find_field, self.replace_field = self._field("Find", "findField"), self._field("Replace with", "replaceField")
        self.is_case = self._option("Aa", "Match case", "matchCaseBox")
        self.is_word = self._option("Word", "Whole words", "wholeWordBox")
        self.is_pattern = self._option(".*", "Regular expression", "regexBox")
        self.count_label = QLabel(self)
        self.count_label.setObjectName("findCount")
        give(self.count_label, role="muted")
        self.replace_button = self._button("Replace", "replaceButton", self.replace_one)
        self.replace_all_button = self._button("Replace All", "replaceAllButton", self.replace_all)
        self._lay_out()
        edit.edited.connect(self._text_changed)
        edit.cursorPositionChanged.connect(self._show_count)
        self.hide()

    # What the bar is asked for

    def open(self, *, with_replace: bool) -> None:
        chosen = self._edit.textCursor().selectedText()
        if chosen and "\u2029" not in chosen:
            self.find_field.setText(chosen)
        for widget in (self.replace_field, self.replace_button, self.replace_all_button):
            widget.setVisible(with_replace)
        self.show()
        self.find_field.setFocus()
        self.find_field.selectAll()
        self.search()

    def close_bar(self) -> None:
        self.hide()
        self._found = []
        self._paint()
        self._edit.setFocus()
        self.closed.emit()

    def matches(self) -> list[Stretch]:
        return list(self._found)

    def search(self) -> None:
        self._rest.stop()
        self._found = list(islice(self._stretches(), MOST))
        self._paint()
        self._show_count()

    def go(self, step: int = 1) -> None:
        """To the next, or with -1 the one before, round and round."""
        self.search()
        if not self._found:
            return
        cursor = self._edit.textCursor()
        here = self._edit.offset_at(cursor.selectionEnd() if step > 0 else cursor.selectionStart())
        later = [each for each in self._found if (each.start >= here if step > 0 else each.end <= here)]
        ends = (0, -1) if step > 0 else (-1, 0)
        self._edit.select(later[ends[0]] if later else self._found[ends[0]])

    def replace_one(self) -> None:
        """What is chosen if it is a match, and on to the next."""
        self.search()
        chosen = self._chosen()
        if chosen is not None and not self._edit.isReadOnly():
            self._edit.replace(chosen, self._replacement(chosen))
        self.go()

    def replace_all(self) -> None:
        """One step to undo; also those that are too many to be shown."""
        found, text = list(self._stretches()), self._edit.text()
        if self._edit.isReadOnly() or not found:
            return
        ends = [0, *(each.end for each in found)]
        parts = [part for each, end in zip(found, ends, strict=False) for part in (text[end : each.start], self._replacement(each))]
        self._edit.take_text("".join((*parts, text[ends[-1] :])))
        self.search()
        self.count_label.setText(f"{len(found):,} replaced")

    # Within

    def _stretches(self) -> Iterator[Stretch]:
        self._fault = ""
        pattern = self._pattern()
        if pattern is not None:
            found = pattern.globalMatch(self._edit.text())
            while found.hasNext():
                match = found.next()
                if match.capturedLength():
                    yield Stretch(*(self._edit.offset_at(at) for at in (match.capturedStart(), match.capturedEnd())))

    def _pattern(self) -> QRegularExpression | None:
        asked = self.find_field.text()
        if not asked:
            return None
        text = asked if self.is_pattern.isChecked() else QRegularExpression.escape(asked)
        options = Option.MultilineOption | Option.UseUnicodePropertiesOption
        if not self.is_case.isChecked():
            options |= Option.CaseInsensitiveOption
        pattern = QRegularExpression(rf"\b(?:{text})\b" if self.is_word.isChecked() else text, options)
        if not pattern.isValid():
            self._fault = f"not a pattern: {pattern.errorString()}"
            return None
        return pattern

    def _replacement(self, stretch: Stretch) -> str:
        new = self.replace_field.text()
        pattern = self._pattern()
        if not self.is_pattern.isChecked() or pattern is None:
            return new
        match = pattern.match(self._edit.text(), self._edit.position_of(stretch.start))
        groups = [match.captured(number) for number in range(match.lastCapturedIndex() + 1)]
        return re.sub(r"\\(\d)", lambda found: groups[int(found[1])] if int(found[1]) < len(groups) else found[0], new)

    def _chosen(self) -> Stretch | None:
        cursor = self._edit.textCursor()
        chosen = Stretch(*(self._edit.offset_at(at) for at in (cursor.selectionStart(), cursor.selectionEnd())))
        return chosen if chosen in self._found else None

    def _paint(self) -> None:
        style = QTextCharFormat()
        style.setBackground(look().colour("selected"))
        self._edit.mark("found", self._found, style)

    def _show_count(self) -> None:
        if not self.isVisible():
            return
        total = f"{len(self._found)}{'+' if len(self._found) == MOST else ''}"
        chosen = self._chosen()
        if self._fault:
            said = self._fault
        elif not self.find_field.text():
            said = ""
        elif not self._found:
            said = "nothing found"
        else:
            said = f"{self._found.index(chosen) + 1} of {total}" if chosen else f"{total} found"
        self.count_label.setText(said)

    def _text_changed(self) -> None:
        if self.isVisible():
            self._rest.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if watched is self.replace_field:
                self.replace_one()
            else:
                self.go(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
            return
        super().keyPressEvent(event)

    def _field(self, name: str, object_name: str) -> QLineEdit:
        field = QLineEdit(self, placeholderText=name)
        field.setObjectName(object_name)
        field.setAccessibleName(name)
        field.installEventFilter(self)
        if object_name == "findField":
            field.textChanged.connect(self._rest.start)
        return field

    def _option(self, text: str, name: str, object_name: str) -> QCheckBox:
        box = QCheckBox(text, self)
        box.setToolTip(name)
        box.setObjectName(object_name)
        box.setAccessibleName(name)
        box.toggled.connect(self.search)
        return box

    def _button(self, text: str, object_name: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(object_name)
        button.setAccessibleName(text)
        button.clicked.connect(act)
        return button

    def _tool(self, drawing: str, name: str, object_name: str) -> QToolButton:
        tool = QToolButton(self)
        tool.setIcon(icon(drawing))
        tool.setToolTip(name)
        give(tool, role="flat")
        tool.setObjectName(object_name)
        tool.setAccessibleName(name)
        return tool

    def _lay_out(self) -> None:
        before, after, close = (
            self._tool("arrow-up", "Previous match", "findPreviousButton"),
            self._tool("arrow-down", "Next match", "findNextButton"),
            self._tool("x", "Close", "closeFindButton"),
        )
        before.clicked.connect(lambda: self.go(-1))
        after.clicked.connect(lambda: self.go(1))
        close.clicked.connect(self.close_bar)
        grid = QGridLayout(self)
        grid.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        grid.setSpacing(GRID)
        self.count_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("nothing found") + GRID)
        for column, widget in enumerate(
            (self.find_field, self.is_case, self.is_word, self.is_pattern, self.count_label, before, after, close)
        ):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.replace_field, 1, 0)
        grid.addWidget(self.replace_button, 1, 1, 1, 2)
        grid.addWidget(self.replace_all_button, 1, 3, 1, 2, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(0, 1)
