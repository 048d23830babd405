"""A new strategy, indicator or signal: a name, for an indicator its family, and the reason while that cannot be."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.file_names import name_fault
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.ui import file_actions
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.words import Words

FIRST = {Kind.STRATEGY: "my_strategy", Kind.INDICATOR: "my_indicator", Kind.SIGNAL: "my_signal"}


class NewFileDialog(QDialog):
    """`folders` are where it may be made: one, or for an indicator each family's. Open it with `open()`."""

    made = Signal(object)  # the Path

    def __init__(self, kind: Kind, folders: Sequence[Path], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("newFileDialog")
        self.setWindowTitle(f"New {kind.value.capitalize()}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._kind, self._folders = kind, tuple(folders)
        self.name, self.family, self.fault = QLineEdit(self), QComboBox(self), Words(parent=self, wraps=True)
        self.name.setObjectName("newFileName")
        self.name.setAccessibleName("Name")
        self.family.setObjectName("newFileFamily")
        self.family.setAccessibleName("Family")
        self.family.addItems([folder.name for folder in folders])
        give(self.fault, tone="danger")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.make_button = self.buttons.addButton("Create", QDialogButtonBox.ButtonRole.AcceptRole)
        self.make_button.setObjectName("createFileButton")
        self.make_button.setAccessibleName("Create")
        give(self.make_button, role="primary")
        self._lay_out()
        self.name.textChanged.connect(self._check)
        self.family.currentIndexChanged.connect(self._check)
        self.buttons.accepted.connect(self._make)
        self.buttons.rejected.connect(self.reject)
        self.name.setText(self._free(FIRST[kind]))
        self.name.selectAll()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(2 * GRID)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.addRow("Name", self.name)
        if len(self._folders) > 1:
            form.addRow("Family", self.family)
        self.family.setVisible(len(self._folders) > 1)
        told = QLabel("It starts from a small template that runs as it is.", self)
        give(told, role="muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * GRID, 4 * GRID, 4 * GRID, 4 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(form)
        column.addWidget(told)
        column.addWidget(self.fault)
        column.addStretch(1)
        column.addWidget(self.buttons)
        self.setMinimumWidth(look().pixels(GRID * 90))

    def _folder(self) -> Path:
        return self._folders[max(0, self.family.currentIndex())]

    def _taken(self) -> set[str]:
        """A component's name must be the only one among all families."""
        return {path.stem for folder in self._folders if folder.is_dir() for path in folder.iterdir()}

    def _free(self, name: str) -> str:
        taken = self._taken()
        return next(free for number in range(1, 100_000) if (free := name if number == 1 else f"{name}_{number}") not in taken)

    def _check(self) -> None:
        name = self.name.text()
        fault = name_fault(self._kind, name) or ("there is one of that name already" if name in self._taken() else "")
        self._say(fault[:1].upper() + fault[1:])
        self.make_button.setEnabled(not fault)

    def _say(self, fault: str) -> None:
        """Whole: Qt makes no dialog higher for words that wrap."""
        self.fault.setText(fault)
        if (layout := self.layout()) is not None:
            layout.activate()
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))

    def _make(self) -> None:
        try:
            path = file_actions.create(self._kind, self._folder(), self.name.text())
        except SptraderError as error:
            self._say(str(error))
            return
        self.accept()
        self.made.emit(path)
