"""Keys as the platform has them: standard keys by name, one spelling for what is the same to the keyboard, and what people read."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from sptrader_desktop.present.actions import ACTIONS, Scope

STANDARD = "StandardKey."


def sequences(keys: Iterable[str]) -> list[QKeySequence]:
    """Each once. A standard key is whatever the platform binds to it, the usual one first, and may be none."""
    found: list[QKeySequence] = []
    for key in keys:
        if key.startswith(STANDARD):
            bound = QKeySequence.keyBindings(QKeySequence.StandardKey[key.removeprefix(STANDARD)])
            found += [one for one in bound if not is_media_key(one)]
        else:
            found.append(QKeySequence(key, QKeySequence.SequenceFormat.PortableText))
    return list({portable(one): one for one in found if not one.isEmpty()}.values())


def pressed_command(event: QKeyEvent, scope: Scope) -> str:
    """The id of the command of such a pane whose keys were pressed, for panes that work without a window around them too."""
    pressed = QKeySequence(event.keyCombination())
    return next((row.id for row in ACTIONS if row.scope is scope and pressed in sequences(row.keys)), "")


def is_media_key(sequence: QKeySequence) -> bool:
    """Keys such as `Open` on an office keyboard, which nobody looks up in a list."""
    return not sequence.isEmpty() and Qt.Key.Key_Back <= sequence[0].key() < Qt.Key.Key_AltGr  # type: ignore[index] # untold by the types


def portable(sequence: QKeySequence) -> str:
    """As it is compared and kept."""
    return sequence.toString(QKeySequence.SequenceFormat.PortableText)


def shown(found: Iterable[QKeySequence]) -> str:
    """As people read it: `⌘K` on one platform, `Ctrl+K` on another."""
    return ", ".join(one.toString(QKeySequence.SequenceFormat.NativeText) for one in found)
