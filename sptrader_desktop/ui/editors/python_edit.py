"""Where components are written: Python with colours and indentation by four."""

from PySide6.QtWidgets import QWidget

from sptrader_desktop.ui.editors.code_edit import CodeEdit
from sptrader_desktop.ui.editors.highlighter import Highlighter, PythonHighlighter


class PythonEdit(CodeEdit):
    indent_width = 4

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pythonEdit")
        self.setAccessibleName("Component source")

    def make_highlighter(self) -> Highlighter:
        return PythonHighlighter(self)
