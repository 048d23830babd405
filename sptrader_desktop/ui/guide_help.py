"""Help on what has the keyboard: in an editor the word at the cursor, elsewhere the guide's page about it, or about what is pointed at."""

from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QWidget

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
        focused = _with_parents(QApplication.focusWidget())
        editor = next((widget for widget in focused if isinstance(widget, EditorPane)), None)
        if editor is not None:
            editor.commands()["editor.help"]()
            return
        anchor = _topic(focused)
        self.open_at(_topic(_with_parents(QApplication.widgetAt(QCursor.pos()))) if anchor == START else anchor)

    def open_at(self, anchor: str) -> None:
        self._guide.open_at(anchor)
        self._show()


def _with_parents(widget: QWidget | None) -> list[QWidget]:
    """From within outwards."""
    found = list[QWidget]()
    while widget is not None:
        found.append(widget)
        widget = widget.parentWidget()
    return found


def _topic(widgets: Iterable[QWidget]) -> str:
    return topic([widget.objectName() for widget in widgets])
