"""Files, drafts and versions of what a person writes: whole or not at all, byte for byte, and never at each other's cost."""

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.adapters import text_drafts
from sptrader_desktop.adapters.text_drafts import MOST_VERSIONS, TextDrafts
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.text_files import ChangedOutsideError, Draft, FileText, decoded, difference, fingerprint

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40), st.booleans(), st.booleans())
def test_a_file_that_is_not_edited_is_written_as_it_was_read(text: str, has_mark: bool, is_windows: bool) -> None:
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    raw = (b"\xef\xbb\xbf" if has_mark else b"") + (text.replace("\n", "\r\n") if is_windows else text).encode()
    file = decoded(raw, Path("s.yaml"))
    assert file.content(file.text) == raw


def test_what_is_no_text_is_refused_with_its_line() -> None:
    with pytest.raises(DataError, match=r"s\.yaml:2: is not UTF-8"):
        decoded(b"name: x\n\xff", Path("s.yaml"))


def test_what_no_file_could_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path, keeper = tmp_path / "s.yaml", TextDrafts(tmp_path / "kept")
    path.write_text("a")
    with pytest.raises(DataError, match="line 2 holds half a character"):
        keeper.write(path, "a\nb\ud800", keeper.read(path))
    assert path.read_text() == "a"


def test_a_save_keeps_line_ends_mark_and_permissions(tmp_path: Path) -> None:
    path = tmp_path / "s.py"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    path.chmod(0o750)
    keeper = TextDrafts(tmp_path / "kept")
    file = keeper.read(path)
    after = keeper.write(path, "a\nc\n", file)
    assert path.read_bytes() == b"\xef\xbb\xbfa\r\nc\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert keeper.read(path) == after


def test_what_somebody_else_wrote_is_never_overwritten(tmp_path: Path) -> None:
    path, keeper = tmp_path / "s.yaml", TextDrafts(tmp_path / "kept")
    path.write_text("a")
    file = keeper.read(path)
    path.write_text("theirs")
    with pytest.raises(ChangedOutsideError, match="changed by another program"):
        keeper.write(path, "mine", file)
    assert path.read_text() == "theirs"
    path.unlink()
    with pytest.raises(ChangedOutsideError):
        keeper.write(path, "mine", file)
    keeper.write(path, "mine", FileText(""))
    assert path.read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_on_a_full_disk_the_file_and_the_older_draft_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, keeper = tmp_path / "s.yaml", TextDrafts(tmp_path / "kept")
    path.write_text("a")
    keeper.keep_draft(Draft(path, "older", "", NOW))
    full = Path("/dev/full")

    def to_a_full_disk(_target: Path, content: bytes, **_: bool) -> None:
        full.write_bytes(content)

    monkeypatch.setattr(text_drafts, "write_whole", to_a_full_disk)
    monkeypatch.setattr(text_drafts, "write_through", to_a_full_disk)
    with pytest.raises(DataError, match=r"was not saved .*No space left.* your text is still here"):
        keeper.write(path, "b", keeper.read(path))
    with pytest.raises(DataError, match=r"not protected .*No space left"):
        keeper.keep_draft(Draft(path, "newer", "", NOW))
    assert path.read_text() == "a"
    assert [draft.text for draft in keeper.drafts()] == ["older"]
    assert {file.name for file in tmp_path.iterdir()} == {"s.yaml", "kept"}


@pytest.mark.skipif(os.name != "posix", reason="Windows forces names to disk by itself")
def test_what_was_saved_is_on_the_disk_before_its_draft_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, keeper = tmp_path / "s.yaml", TextDrafts(tmp_path / "kept")
    path.write_text("a")
    keeper.keep_draft(Draft(path, "b", "", NOW))
    done: list[tuple[str, bool, bool]] = []

    def note(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        done.append((kind, path.read_text() == "b", bool(keeper.drafts())))

    monkeypatch.setattr(os, "fsync", note)
    keeper.write(path, "b", keeper.read(path))
    keeper.drop_draft(path)
    assert done == [("file", False, True), ("folder", True, True)]
    assert keeper.drafts() == ()


def test_drafts_come_back_in_order_and_a_damaged_one_harms_no_other(tmp_path: Path) -> None:
    keeper = TextDrafts(tmp_path)
    first, second = Draft(Path("/x/a.yaml"), "a\ud800", "f", NOW), Draft(Path("/x/b.yaml"), "b", "", NOW - timedelta(1))
    keeper.keep_draft(first)
    keeper.keep_draft(second)
    (tmp_path / "drafts" / "broken.json").write_bytes(b'{"format": 1, "path"')
    (tmp_path / "drafts" / "newer.json").write_bytes(b'{"format": 99}')
    (tmp_path / "drafts" / "deep.json").write_bytes(b"[" * 100_000)
    assert TextDrafts(tmp_path).drafts() == (second, first)
    keeper.drop_draft(second.path)
    keeper.drop_draft(second.path)
    assert keeper.drafts() == (first,)


@settings(max_examples=30)
@given(texts=st.lists(st.sampled_from("abc"), max_size=8))
def test_versions_are_every_change_newest_first(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    keeper, path = TextDrafts(tmp_path_factory.mktemp("kept")), Path("/x/s.yaml")
    for text in texts:
        keeper.keep_version(path, text)
    expected = [text for at, text in enumerate(texts) if at == 0 or texts[at - 1] != text]
    assert [keeper.version_text(path, version) for version in keeper.versions(path)] == expected[::-1]


def test_a_version_of_a_clock_that_was_set_back_is_the_newest(tmp_path: Path) -> None:
    keeper, path = TextDrafts(tmp_path), Path("/x/s.yaml")
    keeper.keep_version(path, "before")
    (file,) = tmp_path.rglob("*.txt")
    file.rename(file.with_name("21000101T000000.999999Z.txt"))
    keeper.keep_version(path, "after")
    assert [keeper.version_text(path, version) for version in keeper.versions(path)] == ["after", "before"]


def test_only_so_many_versions_are_kept_and_they_move_with_the_file(tmp_path: Path) -> None:
    keeper, path = TextDrafts(tmp_path), Path("/x/s.yaml")
    for number in range(MOST_VERSIONS + 3):
        keeper.keep_version(path, str(number))
    kept = keeper.versions(path)
    assert len(kept) == MOST_VERSIONS
    assert keeper.version_text(path, kept[0]) == str(MOST_VERSIONS + 2)
    keeper.moved(path, Path("/x/t.yaml"))
    assert len(keeper.versions(Path("/x/t.yaml"))) == MOST_VERSIONS
    assert keeper.versions(path) == ()


def test_what_is_not_saved_goes_with_a_renamed_file_whose_tab_is_closed(tmp_path: Path) -> None:
    keeper, old, new = TextDrafts(tmp_path / "kept"), tmp_path / "old.yaml", tmp_path / "new.yaml"
    new.write_text("name: new\n")
    keeper.keep_draft(Draft(old, "name: old\n# a thought\n", fingerprint(b"name: old\n"), NOW))
    keeper.moved(old, new)
    assert keeper.drafts() == (Draft(new, "name: new\n# a thought\n", keeper.read(new).fingerprint, NOW),)


def test_what_another_program_changed_before_a_file_was_renamed_is_a_question_afterwards(tmp_path: Path) -> None:
    keeper, old, new = TextDrafts(tmp_path / "kept"), tmp_path / "old.yaml", tmp_path / "new.yaml"
    new.write_text("name: new\n# of another program\n")
    keeper.keep_draft(Draft(old, "name: old\n# a thought\n", base := fingerprint(b"name: old\n"), NOW))
    keeper.moved(old, new)
    assert keeper.drafts() == (Draft(new, "name: new\n# a thought\n", base, NOW),)


@pytest.mark.parametrize("has_draft", [False, True])
def test_unsaved_text_of_a_file_that_is_gone_outlives_another_that_takes_its_name(tmp_path: Path, has_draft: bool) -> None:
    keeper, old, gone = TextDrafts(tmp_path / "kept"), tmp_path / "old.yaml", tmp_path / "gone.yaml"
    gone.write_text("name: gone\n")
    keeper.keep_draft(Draft(gone, "hours of work\n", "before", NOW))
    if has_draft:
        keeper.keep_draft(Draft(old, "name: old\n# a thought\n", "before", NOW))
    keeper.moved(old, gone)
    assert [keeper.version_text(gone, version) for version in keeper.versions(gone)] == ["hours of work\n"]
    assert [draft.text for draft in keeper.drafts()] == ["name: gone\n# a thought\n" if has_draft else "hours of work\n"]


def test_a_draft_whose_time_says_no_zone_stands_beside_others(tmp_path: Path) -> None:
    keeper = TextDrafts(tmp_path)
    for name, moment in (("a", NOW), ("b", NOW.replace(month=1, tzinfo=None))):
        keeper.keep_draft(Draft(Path(f"/x/{name}.yaml"), name, "", moment))
    assert [draft.text for draft in keeper.drafts()] == ["b", "a"]


def test_a_difference_shows_what_goes_and_what_comes() -> None:
    assert difference("a\nb\n", "a\nc\n", "old", "new").split("\n") == ["--- old", "+++ new", "@@ -1,3 +1,3 @@", " a", "-b", "+c", " "]
    assert difference("a", "a", "old", "new") == ""
    assert "too many to compare" in difference("a\n" * 4000, "b\n" * 4000, "old", "new")


def test_opening_an_editor_loads_neither_pandas_nor_numba_nor_pyarrow() -> None:
    modules = "editors.strategy_editor editors.component_editor navigator".split()
    imports = "; ".join(f"import sptrader_desktop.ui.{name}" for name in modules)
    code = f"import sys; {imports}; print(*sorted({{'pandas', 'numba', 'pyarrow', 'ruamel'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.split() == []
