"""Help on what has the keyboard: in an editor the word at the cursor, elsewhere the guide's page about it."""

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QApplication

from sptrader_desktop.present.guide import START, topic
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.guide_pane import GuidePane


class GuideHelp:
    """`show` brings the guide to the front."""

    def __init__(self, guide: GuidePane, show: Callable[[], object]) -> None:
        self._guide, self._show = guide, show

    def handlers(self) -> dict[str, Callable[..., object]]:
        return {"help.here": self.open_here, "help.guide": partial(self.open_at, START)}

    def open_here(self) -> None:
        widget, names = QApplication.focusWidget(), list[str]()
        while widget is not None:
            if isinstance(widget, EditorPane):
                widget.commands()["editor.help"]()
                return
            names.append(widget.objectName())
            widget = widget.parentWidget()
        self.open_at(topic(names))

    def open_at(self, anchor: str) -> None:
        self._guide.open_at(anchor)
        self._show()
