"""What a person gathers beside their settings (drawn lines, templates, alerts …), each in a JSON file of its own in one folder.

A file is replaced whole and only once its content is on the disk. One that is broken is set aside, one of a newer version left alone.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.runtime.whole_files import flush_folder, write_through

T = TypeVar("T")
SCHEMA = 1


class JsonDocuments:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left_alone: set[str] = set()

    def load(self, name: str, read: Callable[[Any], T], empty: T) -> tuple[T, tuple[str, ...]]:
        """`read` raises DataError, ValueError, TypeError or KeyError at what it does not know; with it come sentences for the person."""
        path = self._path(name)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return empty, ()
        except OSError as error:
            self._left_alone.add(name)
            return empty, (f"{path} could not be read ({error.strerror}): changes are not kept. See who may read it.",)
        try:
            document = json.loads(content)
            if int(document["schema"]) > SCHEMA:
                self._left_alone.add(name)
                return empty, (f"{path.name} was written by a newer version: it is left as it is, and changes are not kept.",)
            return read(document["held"]), ()
        except (ValueError, RecursionError, ArithmeticError, LookupError, TypeError, AttributeError, DataError) as error:
            return empty, (self._set_aside(path, name, error),)

    def save(self, name: str, held: Any) -> None:
        """Nothing where the file could not be read or belongs to a newer version."""
        if name in self._left_alone:
            return
        path = self._path(name)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        content = json.dumps({"schema": SCHEMA, "held": held}, indent=1, sort_keys=True)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_through(temporary, content.encode())
            temporary.replace(path)
            flush_folder(self._folder)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise DataError(f"{path} could not be written ({error.strerror}): make room or get the right to write there") from None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _set_aside(self, path: Path, name: str, error: Exception) -> str:
        aside = path.with_name(f"{path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        try:
            path.rename(aside)
        except OSError as refused:
            self._left_alone.add(name)
            return f"{path} is broken and could not be set aside ({refused.strerror}): it is left as it is, and changes are not kept."
        return f"{path.name} is broken ({str(error) or type(error).__name__}): one begins anew; the file as it was is kept in {aside}."
