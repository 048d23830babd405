"""What a person does to files from the window: copy, rename, throw away, show. Nothing is overwritten; what goes can be fetched back."""

import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QFile, QUrl
from PySide6.QtGui import QDesktopServices

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.file_names import COMPONENTS, copy_name, name_fault, renamed_text
from sptrader_desktop.present.navigator import Item, Kind
from sptrader_desktop.present.templates import new_text
from sptrader_desktop.runtime.whole_files import refuse_existing, write_new

WITH_NAMES = {Kind.STRATEGY, *COMPONENTS}


def create(kind: Kind, folder: Path, name: str) -> Path:
    """From the template, in a folder that may not be there yet."""
    _refuse_name(kind, name)
    path = folder / f"{name}{'.yaml' if kind is Kind.STRATEGY else '.py'}"
    family = folder.name if kind is Kind.INDICATOR else ""
    return _done(path, "made", lambda: write_new(path, new_text(kind, name, family).encode()))


def duplicate(item: Item) -> Path:
    """Beside it, under a name of its own, which also stands inside."""
    if item.kind is Kind.RUN:
        raise DataError(f"{item.name} is a kept run: open it, and the Backtest pane has its answers, to run it again with others")
    source = _file(item)
    name = copy_name(source.stem, {path.stem for path in source.parent.iterdir()})
    path = source.with_name(f"{name}{source.suffix}")

    def copy() -> None:
        refuse_existing(path)
        if item.kind in WITH_NAMES:
            write_new(path, _renamed(item.kind, source, name))
        else:
            shutil.copy2(source, path)

    return _done(path, "copied", copy)


def rename(
    item: Item, name: str, moved: Callable[[Path, Path], object] | None = None, refuse: Callable[[Path], object] | None = None
) -> Path:
    """`moved` hears of old and new place, for what is kept about the file elsewhere; `refuse` raises where that keeps the place taken."""
    source = _file(item)
    _refuse_name(item.kind, name)
    path = source.with_name(f"{name}{source.suffix}")
    if path == source:
        return source

    def move() -> None:
        refuse_existing(path)
        if refuse is not None:
            refuse(path)
        if item.kind in WITH_NAMES:
            write_new(path, _renamed(item.kind, source, name))
            shutil.copymode(source, path)
            source.unlink()
        else:
            source.rename(path)

    _done(source, "renamed", move)
    if moved is not None:
        moved(source, path)
    return path


def users_of(item: Item, among: Iterable[Item]) -> list[str]:
    """The strategies that name that component, and the signals that need it. Reads many files; one that cannot be read names nothing."""
    named = re.compile(rf"(?<![\w.]){re.escape(item.key)}(?!\.?\w)".encode())

    def uses_it(other: Item) -> bool:
        if other.kind is not Kind.STRATEGY or other.path is None:
            return item.kind is Kind.INDICATOR and not other.needs.isdisjoint({item.key, item.name})
        try:
            return bool(named.search(other.path.read_bytes()))
        except OSError:
            return False

    return [other.name for other in among if uses_it(other)] if item.kind in COMPONENTS else []


def throw_away(item: Item) -> None:
    """Into the system's trash, never at once for good."""
    path = _file(item)
    if not to_trash(path):
        raise DataError(
            f"{path.name} was not moved to the trash, and nothing was deleted: this disk may have none, delete it in the file manager"
        )


def to_trash(path: Path) -> bool:
    return bool(QFile.moveToTrash(str(path)))


def reveal(item: Item) -> None:
    open_folder(_file(item).parent, item.name)


def open_folder(folder: Path, name: str) -> None:
    """`name` is what lies in it."""
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
        raise DataError(f"this computer has no program for folders: {name} is in {folder}")


def _renamed(kind: Kind, source: Path, name: str) -> bytes:
    raw = source.read_bytes()
    try:
        return renamed_text(kind, raw.decode(), source.stem, name).encode()
    except UnicodeDecodeError:
        return raw


def _file(item: Item) -> Path:
    if item.path is None:
        raise DataError(f"{item.name} is no file of its own: it cannot be copied, renamed or thrown away here")
    if not item.path.exists():
        raise DataError(f"{item.path.name} is not there any more: it was moved or deleted meanwhile")
    return item.path


def _refuse_name(kind: Kind, name: str) -> None:
    fault = name_fault(kind, name)
    if fault:
        raise DataError(f"'{name}' cannot be the name: {fault}")


def _done(path: Path, what: str, act: Callable[[], object]) -> Path:
    try:
        act()
    except OSError as error:
        raise DataError(
            f"{path.name} was not {what} ({error.strerror}): check the folder's permissions and the room on its disk"
        ) from error
    return path
