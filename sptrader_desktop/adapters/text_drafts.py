"""Keeps what a person writes: files whole or not at all, drafts of what is unsaved, and the versions before it.

Drafts and versions are plain files in a folder of the program's own, one name for each file that was edited.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.file_names import moved_text
from sptrader_desktop.present.text_files import ChangedOutsideError, Draft, FileText, Version, base_after_move, decoded, fingerprint
from sptrader_desktop.runtime.whole_files import flush_folder, write_through, write_whole

FORMAT = 1
LARGEST = 2 * 1024 * 1024
MOST_VERSIONS = 200
STAMP = "%Y%m%dT%H%M%S.%fZ"


class TextDrafts:
    """A `TextKeeper` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._drafts, self._history = folder / "drafts", folder / "history"

    def read(self, path: Path) -> FileText:
        try:
            with path.open("rb") as file:
                raw = file.read(LARGEST + 1)
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}): check the file and its permissions") from error
        if len(raw) > LARGEST:
            raise DataError(f"{path} is larger than {LARGEST // 1024 // 1024} MiB: it cannot be edited here")
        return decoded(raw, path)

    def write(self, path: Path, text: str, before: FileText) -> FileText:
        if self._now(path) != before.fingerprint:
            raise ChangedOutsideError(f"{path.name} was changed by another program since it was opened: compare, then keep one of the two")
        content = before.content(text)
        try:
            mode = path.stat().st_mode if path.exists() else None
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content, lasts=True)
            if mode is not None:
                path.chmod(mode)
        except OSError as error:
            raise DataError(
                f"{path.name} was not saved ({error.strerror}): what is on the disk is as before, your text is still here; "
                "free some space or check the folder's permissions, then save again"
            ) from error
        return FileText(text, fingerprint(content), before.newline, before.has_mark)

    def keep_draft(self, draft: Draft) -> None:
        data = {
            "format": FORMAT,
            "path": str(draft.path),
            "base": draft.base,
            "written_at": draft.written_at.isoformat(),
            "text": draft.text,
        }
        self._keep(self._drafts / f"{_name(draft.path)}.json", json.dumps(data).encode(), draft.path)

    def drop_draft(self, path: Path) -> None:
        """The name of what was saved is on the disk before; where a folder cannot be asked for that, its disk does as it likes."""
        with suppress(OSError):
            flush_folder(path.resolve().parent)
        try:
            (self._drafts / f"{_name(path)}.json").unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                f"the draft of {path.name} stays ({error.strerror}) and will be offered again: check the right to write in {self._drafts}"
            ) from error

    def drafts(self) -> tuple[Draft, ...]:
        """One that is damaged stays in the folder and is not among them."""
        found = [_read_draft(path) for path in self._drafts.glob("*.json")]
        return tuple(sorted((draft for draft in found if draft is not None), key=lambda draft: draft.written_at))

    def keep_version(self, path: Path, text: str) -> None:
        there = self.versions(path)
        if there and self.version_text(path, there[0]) == text:
            return
        folder = self._history / _name(path)
        now = datetime.now(UTC)
        # Versions of one moment keep their order: no two have the same name, and later names sort later.
        if there and now <= there[0].written_at:
            now = there[0].written_at + timedelta(microseconds=1)
        self._keep(folder / f"{now.strftime(STAMP)}.txt", text.encode("utf-8", "surrogatepass"), path)
        if not (folder / "path").exists():
            self._keep(folder / "path", str(path).encode("utf-8", "surrogatepass"), path)
        for old in there[MOST_VERSIONS - 1 :]:
            (folder / f"{old.id}.txt").unlink(missing_ok=True)

    def versions(self, path: Path) -> tuple[Version, ...]:
        found = []
        for file in (self._history / _name(path)).glob("*.txt"):
            try:
                written_at = datetime.strptime(file.stem, STAMP).replace(tzinfo=UTC)
            except ValueError:
                continue
            found.append(Version(file.stem, written_at, file.stat().st_size))
        return tuple(sorted(found, key=lambda version: version.id, reverse=True))

    def version_text(self, path: Path, version: Version) -> str:
        try:
            raw = (self._history / _name(path) / f"{version.id}.txt").read_bytes()
        except OSError as error:
            raise DataError(f"the version of {version.written_at:%Y-%m-%d %H:%M} cannot be read ({error.strerror})") from error
        return raw.decode("utf-8", "surrogatepass")

    def moved(self, old: Path, new: Path) -> None:
        """A file that is renamed takes its versions along, and what is not saved of it."""
        try:
            self._move_versions(old, new)
        finally:
            self._move_draft(old, new)

    def _move_draft(self, old: Path, new: Path) -> None:
        """What was unsaved under the new name, of a file that is gone, is a version from now on."""
        drafts = {draft.path: draft for draft in self.drafts()}
        if new in drafts:
            self.keep_version(new, drafts[new].text)
        if old in drafts:
            draft, file = drafts[old], self.read(new)
            text, base = moved_text(draft.text, old, new), base_after_move(draft.base, file, old, new)
            self.keep_draft(replace(draft, path=new, text=text, base=base))
            self.drop_draft(old)

    def _move_versions(self, old: Path, new: Path) -> None:
        folder, target = self._history / _name(old), self._history / _name(new)
        if folder.is_dir() and not target.exists():
            try:
                folder.rename(target)
            except OSError as error:
                raise DataError(
                    f"the versions of {old.name} stay under that name ({error.strerror}): see who may write in {folder.parent}"
                ) from error

    def _now(self, path: Path) -> str:
        return self.read(path).fingerprint if path.exists() else ""

    def _keep(self, target: Path, content: bytes, path: Path) -> None:
        """On the disk itself before it takes the place of what was there."""
        temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_through(temporary, content)
            temporary.replace(target)
        except OSError as error:
            with suppress(OSError):  # where it could not even be begun
                temporary.unlink(missing_ok=True)
            raise DataError(
                f"unsaved changes of {path.name} are not protected ({error.strerror}): free some space on the disk, or save the file now"
            ) from error


def _name(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:24]


def _read_draft(file: Path) -> Draft | None:
    try:
        data = json.loads(file.read_bytes())
        if data["format"] != FORMAT:
            return None
        written_at = datetime.fromisoformat(data["written_at"]).astimezone(UTC)
        return Draft(Path(data["path"]), str(data["text"]), str(data["base"]), written_at)
    except (OSError, ValueError, ArithmeticError, RecursionError, KeyError, TypeError):
        return None
