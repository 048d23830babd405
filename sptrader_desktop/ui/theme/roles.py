"""What a widget is, said once, so that the style sheet knows how to draw it; said again later, it is drawn anew."""

from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

Tone = Literal["", "up", "down", "warning", "danger", "accent"]


def give(widget: QWidget, *, role: str | None = None, tone: Tone | None = None) -> None:
    """Roles and tones are listed at the head of `assets/style.qss`."""
    wanted = {name: value for name, value in (("role", role), ("tone", tone)) if value is not None and widget.property(name) != value}
    for name, value in wanted.items():
        widget.setProperty(name, value)
    if wanted and widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):  # also one that is hidden for now
        style = widget.style()
        style.unpolish(widget)
        style.polish(widget)
        widget.update()
