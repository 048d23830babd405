"""The person's workspace: filled, kept up to date, and never at the cost of what the person did in it."""

import json
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sptrader_desktop.runtime import workspace
from sptrader_desktop.runtime.whole_files import write_whole
from sptrader_desktop.runtime.workspace import NOTE, fill_workspace
from sptrader_desktop.settings import load_settings, shipped
from tests.command_line import ROOT, sptrader


class Desk:
    """What ships, in two folders, and a workspace that does not exist yet."""

    def __init__(self, home: Path) -> None:
        self.workspace, self.parts = home / "mine", {".": home / "shipped", "strategies": home / "rules"}
        self.ship({"core/sma.py": "sma 1", "core/rsi.py": "rsi 1", "strategies/s.yaml": "s 1"})

    def ship(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            is_rule = name.startswith("strategies/")
            path = self.parts["strategies" if is_rule else "."] / name.removeprefix("strategies/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def fill(self) -> set[str]:
        return {path.relative_to(self.workspace).as_posix() for path in fill_workspace(self.workspace, self.parts)}

    def held(self) -> dict[str, str]:
        found = (path for path in self.workspace.rglob("*") if path.is_file())
        return {path.relative_to(self.workspace).as_posix(): path.read_text() for path in found if path.name != NOTE}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_first_start_copies_everything_and_the_second_nothing(desk: Desk) -> None:
    assert desk.fill() == {"core/sma.py", "core/rsi.py", "strategies/s.yaml"}
    assert desk.held() == {"core/sma.py": "sma 1", "core/rsi.py": "rsi 1", "strategies/s.yaml": "s 1"}
    written = (desk.workspace / NOTE).stat().st_mtime_ns
    assert desk.fill() == set()
    assert (desk.workspace / NOTE).stat().st_mtime_ns == written


def test_compiled_files_and_a_desktop_s_litter_are_not_shipped(desk: Desk) -> None:
    desk.ship({"core/__pycache__/sma.cpython-311.pyc": "x", "core/.DS_Store": "x", "core/old.pyc": "x"})
    assert desk.fill() == {"core/sma.py", "core/rsi.py", "strategies/s.yaml"}


def test_an_edit_is_never_overwritten_and_the_rest_is_brought_up_to_date(desk: Desk) -> None:
    desk.fill()
    (desk.workspace / "core/sma.py").write_text("mine")
    desk.ship({"core/sma.py": "sma 2", "core/rsi.py": "rsi 2", "core/new.py": "new 2"})
    assert desk.fill() == {"core/rsi.py", "core/new.py"}
    assert desk.held() == {"core/sma.py": "mine", "core/rsi.py": "rsi 2", "core/new.py": "new 2", "strategies/s.yaml": "s 1"}


def test_what_was_removed_stays_removed_through_updates(desk: Desk) -> None:
    desk.fill()
    (desk.workspace / "core/rsi.py").unlink()
    shutil.rmtree(desk.workspace / "strategies")
    desk.ship({"core/rsi.py": "rsi 2", "strategies/s.yaml": "s 2"})
    assert desk.fill() == set()
    assert desk.held() == {"core/sma.py": "sma 1"}


def test_a_file_that_was_there_before_ours_is_the_person_s(desk: Desk) -> None:
    (desk.workspace / "core").mkdir(parents=True)
    (desk.workspace / "core/sma.py").write_text("my own sma")
    desk.fill()
    desk.ship({"core/sma.py": "sma 2"})
    desk.fill()
    assert desk.held()["core/sma.py"] == "my own sma"


def test_an_edit_taken_back_gets_updates_again(desk: Desk) -> None:
    desk.fill()
    (desk.workspace / "core/sma.py").write_text("mine")
    desk.fill()
    (desk.workspace / "core/sma.py").write_text("sma 1")
    desk.ship({"core/sma.py": "sma 2"})
    assert desk.fill() == {"core/sma.py"}


def test_a_copy_that_is_interrupted_leaves_no_half_file_and_is_finished_the_next_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill()
    desk.ship({"core/rsi.py": "rsi 2", "core/sma.py": "sma 2", "strategies/s.yaml": "s 2"})
    calls = []

    def pulled_plug(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rename(self, target)

    rename = Path.replace
    with monkeypatch.context() as interrupted:
        interrupted.setattr(Path, "replace", pulled_plug)
        with pytest.raises(KeyboardInterrupt):
            desk.fill()
    assert desk.held() == {"core/rsi.py": "rsi 2", "core/sma.py": "sma 1", "strategies/s.yaml": "s 1"}
    assert desk.fill() == {"core/sma.py", "strategies/s.yaml"}
    desk.ship({"core/rsi.py": "rsi 3"})
    assert desk.fill() == {"core/rsi.py"}  # what the interrupted start had already copied is still ours


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"core/sma.py": 1}'])
def test_a_damaged_note_costs_no_edit(desk: Desk, damage: str) -> None:
    desk.fill()
    (desk.workspace / "core/sma.py").write_text("mine")
    (desk.workspace / NOTE).write_text(damage)
    desk.ship({"core/sma.py": "sma 2"})
    desk.fill()
    assert desk.held()["core/sma.py"] == "mine"
    assert "core/rsi.py" in json.loads((desk.workspace / NOTE).read_text())


NAMES = ("core/a.py", "core/b.py", "strategies/c.yaml")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ship"), st.sampled_from(NAMES), st.sampled_from(["v1", "v2", "v3"])),
        st.tuples(st.just("edit"), st.sampled_from(NAMES), st.sampled_from(["mine", "v1"])),
        st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("start"), st.just(""), st.just("")),
    ),
    max_size=12,
)


@settings(max_examples=150)
@given(steps)
def test_no_start_ever_changes_what_a_person_wrote_or_removed(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[str, str, str]]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    theirs: dict[str, str | None] = {}  # None: removed
    for step, name, text in done:
        target = desk.workspace / name
        if step == "ship":
            desk.ship({name: text})
        elif step == "edit":
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            theirs[name] = text
        elif step == "remove" and target.is_file():
            target.unlink()
            theirs.pop(name, None)
            if name in noted(desk):
                theirs[name] = None
        elif step == "start":
            desk.fill()
            assert not list(desk.workspace.rglob("*.tmp"))
        for each, expected in theirs.items():
            # An edit that happens to equal what ships is not an edit.
            if expected is None or expected == "mine":
                assert desk.held().get(each) == expected


def noted(desk: Desk) -> dict[str, str]:
    note = desk.workspace / NOTE
    read: dict[str, str] = json.loads(note.read_text()) if note.is_file() else {}
    return read


def test_a_file_is_whole_for_whoever_reads_meanwhile(tmp_path: Path) -> None:
    path, contents, seen = tmp_path / "out.json", [bytes([digit]) * 200_000 for digit in b"ab"], set()
    write_whole(path, contents[0])
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(60):
        write_whole(path, contents[turn % 2])
    done.set()
    reader.join()
    assert seen <= set(contents)
    assert [found.name for found in tmp_path.iterdir()] == ["out.json"]


def test_a_link_keeps_pointing_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_whole(tmp_path / "link.json", b"new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def test_each_place_can_be_moved_and_none_is_in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("SPTRADER_WORKSPACE", "SPTRADER_RUNS", "SPTRADER_KERNEL_CACHE"):
        monkeypatch.delenv(variable)
    settings = load_settings()
    for place in (settings.workspace, settings.runs, settings.kernels):
        assert place.is_absolute()
        assert not place.is_relative_to(ROOT)
    monkeypatch.setenv("SPTRADER_WORKSPACE", "~/desk")
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path))
    assert (load_settings().workspace, load_settings().runs) == (Path.home() / "desk", tmp_path)


def test_the_first_command_fills_the_workspace_with_all_that_ships(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPTRADER_WORKSPACE", str(tmp_path / "mine"))
    assert sptrader("check", ROOT / "strategies" / "ma_crossover.yaml").code == 0
    for name in ("workspace", "strategies"):
        folder = shipped(name)
        place = tmp_path / "mine" / ("strategies" if name == "strategies" else ".")
        for source in folder.rglob("*"):
            if source.is_file() and "__pycache__" not in source.parts:
                assert (place / source.relative_to(folder)).read_bytes() == source.read_bytes()
    assert sptrader("check", tmp_path / "mine" / "strategies" / "ma_crossover.yaml").code == 0


def test_where_nothing_new_came_the_persons_files_are_not_even_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill()
    read, hashed = list[Path](), workspace._hash

    def hash_of(path: Path) -> str:
        read.append(path)
        return hashed(path)

    monkeypatch.setattr(workspace, "_hash", hash_of)
    assert desk.fill() == set()
    assert read
    assert [path for path in read if path.is_relative_to(desk.workspace)] == []
