"""Answers on disk and between processes: back to the bit or not at all, bounded, shared; and folders of the dead are swept."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from sptrader_desktop.adapters.arrow_components import packed, read_answer, unpacked, write_answer, write_candles
from sptrader_desktop.adapters.arrow_frames import read_candles
from sptrader_desktop.adapters.component_cache import ComponentCache
from sptrader_desktop.adapters.component_checks import Columns
from sptrader_desktop.adapters.component_frames import candle_frame
from sptrader_desktop.adapters.component_memory import BETWEEN, PACKAGE
from sptrader_desktop.adapters.shared_files import SharedFiles
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.runtime.scratch import make_scratch, sweep
from tests.small_runs import hourly

KEY = "ab" * 32
# Loaded by a worker too, but they neither compute nor convert: words, types, and what a script finds around it.
SURROUNDINGS = {"process_limits.py", "script_surroundings.py", "script_tampering.py"}
WITHOUT_INFLUENCE = {"worker.py", "own_connection.py", "ports.py", "candle_layout.py", "marked_data.py"} | SURROUNDINGS
numbers = st.one_of(*(np_st.arrays(kind, 7) for kind in (np.float64, np.float32, np.int64, np.uint8, np.bool_)))
texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=7, max_size=7)
mixed = st.lists(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text("ab")), min_size=7, max_size=7
)


@st.composite
def answers(draw: st.DrawFn) -> Columns:
    columns = draw(st.lists(st.one_of(numbers, texts, mixed), max_size=4))
    arrays = [column if isinstance(column, np.ndarray) else np.fromiter(column, dtype=object, count=7) for column in columns]
    stamps = draw(np_st.arrays(np.int64, 7, elements=st.integers(-(2**62), 2**62)))
    return Columns(7, stamps, tuple(f"c{place}" for place in range(len(arrays))), tuple(arrays))


def assert_same(one: Columns | None, other: Columns) -> None:
    assert one is not None
    assert (one.rows, one.names) == (other.rows, other.names)
    np.testing.assert_array_equal(one.stamps, other.stamps)
    for a, b in zip(one.arrays, other.arrays, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
        if b.dtype.kind == "O":
            assert [type(value) for value in a] == [type(value) for value in b]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answers")


@settings(max_examples=100)
@given(answers())
def test_an_answer_comes_back_as_it_went(folder: Path, answer: Columns) -> None:
    write_answer(answer, folder / "answer.arrow")
    assert_same(read_answer(folder / "answer.arrow", "x.py"), answer)
    (folder / "packed").write_bytes(packed(answer))
    assert_same(unpacked(folder / "packed"), answer)


def test_candles_come_back_as_components_see_them(tmp_path: Path) -> None:
    write_candles(hourly(), tmp_path / "c.arrow")
    read, made = read_candles(tmp_path / "c.arrow"), candle_frame(hourly())
    assert read.equals(made)
    assert read.index.equals(made.index)
    assert read.attrs == made.attrs


def plain(rows: int = 500, value: float = 1.5) -> Columns:
    return Columns(rows, np.arange(rows), ("sma",), (np.full(rows, value),))


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_file_is_no_answer(folder: Path, data: st.DataObject) -> None:
    """Cut short, longer, or with one bit changed: it is never read as something else."""
    whole = packed(plain())
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from([whole[:at], whole + bytes([at % 256]), whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]])
    )
    (folder / "damaged").write_bytes(damaged)
    assert unpacked(folder / "damaged") is None


@settings(max_examples=100)
@given(st.binary(max_size=60), st.integers(0, 900))
def test_a_result_of_nonsense_is_a_named_error(folder: Path, junk: bytes, cut: int) -> None:
    write_answer(plain(), folder / "good.arrow")
    good = (folder / "good.arrow").read_bytes()
    said = [complaint(folder / "bad.arrow", content) for content in (junk, junk + good[cut:], good[:cut] + junk)]
    assert said[0].startswith("x.py: its result is no Arrow file that can be read (")
    assert all(sentence == "" or sentence.startswith("x.py: its result is no Arrow file") for sentence in said)


def complaint(path: Path, content: bytes) -> str:
    """Nothing where enough was left to be read; any other error fails the test."""
    path.write_bytes(content)
    try:
        read_answer(path, "x.py")
    except ComponentError as error:
        return str(error)
    return ""


def test_what_is_damaged_on_disk_is_removed_and_kept_again(tmp_path: Path) -> None:
    cache = ComponentCache(tmp_path)
    cache.put(KEY, plain())
    (path,) = tmp_path.rglob("*.arrow")
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.get(KEY) is None
    assert not cache.has(KEY)
    cache.put(KEY, plain())
    assert_same(cache.get(KEY), plain())


def test_the_least_recently_used_go_when_it_is_full(tmp_path: Path) -> None:
    size = len(packed(plain()))
    cache = ComponentCache(tmp_path, size * 5)
    keys = [f"{number:02x}" * 32 for number in range(5)]
    for age, key in enumerate(keys):
        cache.put(key, plain())
        os.utime(next(tmp_path.rglob(f"{key}.arrow")), ns=(age, age))
    assert cache.get(keys[0]) is not None
    cache.put(KEY, plain())
    assert [cache.has(key) for key in (*keys, KEY)] == [True, False, False, True, True, True]
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.arrow")) <= size * 5


def test_two_writers_of_one_answer_never_show_half_of_it(tmp_path: Path) -> None:
    caches = [ComponentCache(tmp_path), ComponentCache(tmp_path)]
    wrong: list[Columns] = []

    def write(cache: ComponentCache) -> None:
        for _ in range(30):
            cache.put(KEY, plain())

    def read() -> None:
        while any(writer.is_alive() for writer in writers):
            found = caches[0].get(KEY) if caches[0].has(KEY) else None
            if found is not None and found.rows != 500:
                wrong.append(found)

    writers = [threading.Thread(target=write, args=(cache,)) for cache in caches]
    for writer in writers:
        writer.start()
    read()
    for writer in writers:
        writer.join()
    assert wrong == []
    assert caches[1].has(KEY)


def test_a_disk_that_cannot_be_written_costs_the_cache_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = ComponentCache(tmp_path / "file")
    cache.put(KEY, plain())
    assert not cache.has(KEY)


def test_whatever_of_ours_stands_between_a_script_and_its_answer_is_in_the_key() -> None:
    """So that no answer of an earlier version of the program is taken for one of this."""
    code = "import sys, sptrader_desktop.worker; print(*(getattr(it, '__file__', '') for it in [*sys.modules.values()]), sep='\\n')"
    loaded = {Path(line) for line in subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()}
    ours = {path for path in loaded if path.is_relative_to(PACKAGE) and path.name != "__init__.py"}
    hashed = {path for pattern in BETWEEN for path in PACKAGE.glob(pattern)}
    assert {path.name for path in ours - hashed} <= WITHOUT_INFLUENCE
    assert {"resample.py", "windows.py", "component_frames.py"} <= {path.name for path in ours & hashed}


# Files that jobs share


def test_a_shared_file_is_written_once_and_stays_while_it_is_used(tmp_path: Path) -> None:
    files, written = SharedFiles(tmp_path, most=2), []

    def write(path: Path) -> None:
        written.append(path.name)
        path.write_text("x")

    for number in (1, 2, 3, 1, 4):
        files.take(f"candles-{number}", write)
    assert len(written) == 4
    for number in (2, 3, 1, 4):
        files.give(f"candles-{number}")
    assert {path.stem for path in tmp_path.iterdir()} == {"candles-1", "candles-3", "candles-4"}
    files.give("candles-1")
    files.drop(["candles-4", "candles-9"])
    assert {path.stem for path in tmp_path.iterdir()} == {"candles-1"}


# Scratch folders


SLEEPER = """\
import sys
from pathlib import Path
from sptrader_desktop.runtime.scratch import make_scratch
print(make_scratch(Path(sys.argv[1])), flush=True)
input()
"""
Sleeper = tuple["subprocess.Popen[str]", Path]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Sleeper]:
    """Another process with a scratch folder."""
    command = [sys.executable, "-c", SLEEPER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        made = Path(process.stdout.readline().strip())
        yield process, made
        process.kill()
    shutil.rmtree(made, ignore_errors=True)


def test_the_folder_of_a_process_that_died_is_swept_and_that_of_a_live_one_stays(other: Sleeper, tmp_path: Path) -> None:
    process, theirs = other
    (theirs / "candles.arrow").write_text("x")
    ours = make_scratch(tmp_path)
    try:
        sweep(theirs.parent)
        assert theirs.is_dir()
        process.kill()
        process.wait()
        sweep(theirs.parent)
        assert not theirs.exists()
        assert ours.is_dir()
    finally:
        shutil.rmtree(ours)
