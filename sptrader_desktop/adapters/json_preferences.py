"""Keeps the person's preferences in one JSON file: whole or not at all, and nothing of theirs is ever lost by writing it."""

from datetime import UTC, datetime
from pathlib import Path

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.preferences import SCHEMA, Preferences, Reading, read, written
from sptrader_desktop.runtime.whole_files import write_whole


class JsonPreferences:
    """`load` first: it decides whether the file may be written. The notices say what the person should know."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._may_write = True

    def load(self) -> tuple[Preferences, tuple[str, ...]]:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return Preferences(), ()
        except OSError as error:
            self._may_write = False
            notice = f"{self._path} could not be read ({error.strerror}): the defaults are used, and changes are not kept."
            return Preferences(), (notice,)
        reading = read(content, self._path.name)
        self._may_write = not reading.is_newer
        return reading.preferences, (*reading.notices, *self._kept_aside(content, reading))

    def save(self, preferences: Preferences) -> None:
        """Nothing where the file belongs to a newer version or could not be read."""
        if not self._may_write:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, written(preferences))
        except OSError as error:
            raise DataError(
                f"{self._path}: the settings could not be kept ({error.strerror}): make room or get the right to write there"
            ) from None

    def _kept_aside(self, content: bytes, reading: Reading) -> tuple[str, ...]:
        """A copy of what the next `save` would change for good."""
        if not (reading.is_damaged or reading.is_older):
            return ()
        why = "broken" if reading.is_damaged else f"before-schema-{SCHEMA}"
        aside = self._path.with_name(f"{self._path.name}.{why}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        try:
            aside.write_bytes(content)
        except OSError as error:
            self._may_write = False
            return (f"{aside} could not be written ({error.strerror}): {self._path.name} is left as it is, and changes are not kept.",)
        return (f"The file as it was is kept in {aside}.",) if reading.is_damaged else ()
