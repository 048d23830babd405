"""Widgets made of several that take the keyboard; and the way from one such part of the window to the next."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication, QScrollArea, QSplitter, QWidget


class Composite(QWidget):
    """Who gives it the keyboard gives it to `main_part`. A focus proxy would do so too, but Tab would leap over what stands before it."""

    main_part: QWidget

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.main_part.setFocus(event.reason())


def parts_of(page: QWidget) -> Sequence[QWidget]:
    """What a page shows side by side, each with the keyboard for itself; a page that is not split is one."""
    split = next((found for found in page.findChildren(QSplitter) if found.isVisible()), None)
    if split is None:
        return (page,)
    return [part for place in range(split.count()) if (part := split.widget(place)) is not None and part.isVisible() and part.width()]


def go_to_next(regions: Sequence[QWidget], *, forward: bool) -> None:
    """From the region that has the keyboard to the next, where it was last; from none to the first."""
    focused, regions = QApplication.focusWidget(), in_reading_order(regions)
    at = next((place for place, region in enumerate(regions) if focused is region or region.isAncestorOf(focused or region.window())), None)
    step = 1 if forward else -1
    order = [regions[(at + step * turn) % len(regions)] for turn in range(1, len(regions))] if at is not None else regions
    for region in order:
        if target := _entry(region):
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return


def in_reading_order(regions: Sequence[QWidget]) -> list[QWidget]:
    """By columns from the left, each from the top."""

    def place(region: QWidget) -> tuple[int, int]:
        corner = region.mapToGlobal(region.rect().topLeft())
        return corner.x(), corner.y()

    return sorted(regions, key=place)


def _entry(region: QWidget) -> QWidget | None:
    last = region.focusWidget()
    return last if _takes_keys(last) else next(_keyed(region), None)


def _keyed(region: QWidget) -> Iterator[QWidget]:
    if isinstance(region, Composite):
        yield region.main_part
    taking = [widget for widget in (region, *region.findChildren(QWidget)) if _takes_keys(widget)]
    yield from sorted(taking, key=lambda widget: isinstance(widget, QScrollArea))  # what only scrolls comes last


def _takes_keys(widget: QWidget | None) -> bool:
    return widget is not None and widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
