"""Preferences come back as they were; any damage gives defaults and a sentence, never a crash and never the loss of the file."""

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sptrader_desktop.adapters.json_preferences import JsonPreferences
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.preferences import MOST_RECENT, READERS, SCHEMA, Preferences, read, written
from sptrader_desktop.present.selection import Zone

TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
UNKNOWN = st.dictionaries(TEXT.filter(lambda name: name not in READERS and name != "schema"), JSON, max_size=3)
PREFERENCES = st.builds(
    Preferences,
    theme=st.sampled_from(["system", "light", "dark"]),
    palette=st.sampled_from(["standard", "colour_blind"]),
    up_colour=st.sampled_from(["green", "red"]),
    scale=st.integers(100, 200),
    zone=st.sampled_from(Zone),
    shortcuts=st.dictionaries(TEXT, st.lists(TEXT, max_size=3).map(tuple), max_size=3),
    layout_locked=st.booleans(),
    layout=TEXT,
    layouts=st.dictionaries(TEXT, TEXT, max_size=3),
    geometry=TEXT,
    recent=st.lists(TEXT, max_size=3).map(tuple),
    strategy=TEXT,
    dataset=TEXT,
    texts=st.lists(TEXT, max_size=3).map(tuple),
    front=TEXT,
    hints=st.lists(TEXT, max_size=3).map(tuple),
    answers=st.dictionaries(TEXT, TEXT, max_size=3),
    given=st.dictionaries(TEXT, st.lists(TEXT, max_size=3).map(tuple), max_size=3),
    unknown=UNKNOWN,
)


@given(PREFERENCES)
def test_what_is_written_is_read_again_unknown_fields_included(preferences: Preferences) -> None:
    reading = read(written(preferences), "preferences.json")
    assert reading.preferences == preferences
    assert (reading.notices, reading.is_damaged, reading.is_older, reading.is_newer) == ((), False, False, False)


def test_every_field_has_a_reader() -> None:
    assert {spec.name for spec in fields(Preferences)} - {"unknown"} == set(READERS)


@given(PREFERENCES, st.sampled_from(sorted(READERS)), JSON)
def test_a_field_that_makes_no_sense_falls_back_alone_and_is_named(preferences: Preferences, name: str, value: Any) -> None:
    document = json.loads(written(preferences)) | {name: value}
    reading = read(json.dumps(document).encode(), "preferences.json")
    others = [spec.name for spec in fields(Preferences) if spec.name != name]
    assert [getattr(reading.preferences, other) for other in others] == [getattr(preferences, other) for other in others]
    if reading.is_damaged:
        assert getattr(reading.preferences, name) == getattr(Preferences(), name)
        assert f"`{name}`" in reading.notices[0]
    else:
        assert json.loads(written(reading.preferences))[name] == value


NONSENSE: dict[str, list[object]] = {
    "theme": ["blue", None, 3],
    "palette": ["loud"],
    "up_colour": ["blue"],
    "scale": [99, 201, 150.0, True, "150"],
    "zone": ["Mars", 0],
    "shortcuts": [[], {"a": "Ctrl+A"}, {"a": [1]}],
    "layout_locked": [0, "yes"],
    "layout": [None, 1],
    "layouts": [{"Research": 1}, ["x"]],
    "geometry": [None, 1],
    "recent": ["one.yaml", [1]],
    "done": ["view.log", [1]],
    "strategy": [1],
    "texts": ["one.yaml", [1]],
    "front": [None, 1],
    "dataset": [None],
    "hints": ["click", [1]],
    "answers": [{"capital": 1}, []],
    "given": [{"capital": "1"}, []],
}


@pytest.mark.parametrize("name", sorted(READERS))
def test_nonsense_is_never_taken(name: str) -> None:
    for value in NONSENSE[name]:
        reading = read(json.dumps({"schema": SCHEMA, name: value}).encode(), "preferences.json")
        assert (reading.preferences, reading.is_damaged) == (Preferences(), True), value


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()) | PREFERENCES.map(lambda p: written(p)[:-9]))
def test_any_content_gives_preferences_and_says_so_when_they_are_not_what_was_written(content: bytes) -> None:
    reading = read(content, "preferences.json")
    if not reading.is_damaged and not reading.is_newer:
        assert set(json.loads(content)) <= set(READERS) | {"schema"} | set(reading.preferences.unknown)
    else:
        assert reading.notices


def test_content_nested_without_end_is_damage() -> None:
    assert read(b"[" * 200_000, "x").is_damaged
    assert read(b'{"schema":1,"layouts":' + b"[" * 900 + b"]" * 900 + b"}", "x").is_damaged


@given(st.binary(max_size=40).filter(lambda content: not content.strip().startswith(b"{")))
def test_no_byte_of_a_broken_file_is_lost(content: bytes) -> None:
    folder = Path(os.environ["HOME"]) / "broken" / content.hex()
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    (folder / "preferences.json").write_bytes(content)
    store = JsonPreferences(folder / "preferences.json")
    preferences, notices = store.load()
    store.save(preferences)
    assert preferences == Preferences()
    assert any("could not be read" in notice for notice in notices)
    assert content in [path.read_bytes() for path in folder.iterdir()]
    assert JsonPreferences(folder / "preferences.json").load() == (Preferences(), ())


def test_older_ones_are_brought_up_to_date_and_the_file_as_it_was_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_text('{"theme": "dark"}')
    store = JsonPreferences(path)
    preferences, notices = store.load()
    store.save(preferences)
    assert (preferences.theme, notices) == ("dark", ())
    assert [kept.read_text() for kept in tmp_path.glob("*.before-schema-1-*")] == ['{"theme": "dark"}']
    assert json.loads(path.read_bytes())["schema"] == SCHEMA


def test_migrations_run_one_after_the_other_from_where_the_file_stands() -> None:
    steps = {n: lambda written, n=n: written | {"dataset": written.get("dataset", "") + str(n)} for n in range(5)}
    for schema, expected in ((0, "01234"), (2, "234"), (5, "")):
        content = json.dumps({"schema": schema}).encode()
        assert read(content, "x", schema=5, migrations=steps).preferences.dataset == expected


def test_those_of_a_newer_version_are_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    content = json.dumps({"schema": SCHEMA + 1, "theme": "aurora"}).encode()
    path.write_bytes(content)
    store = JsonPreferences(path)
    preferences, (notice,) = store.load()
    store.save(preferences)
    assert preferences == Preferences()
    assert f"schema {SCHEMA + 1}" in notice
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("preferences.json", content)]


def test_a_file_that_cannot_be_opened_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.mkdir()  # root reads every file, but no folder as one
    store = JsonPreferences(path)
    preferences, (notice,) = store.load()
    store.save(preferences)
    assert "could not be read" in notice
    assert path.is_dir()


def test_what_cannot_be_kept_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = JsonPreferences(tmp_path / "file" / "preferences.json")
    with pytest.raises(DataError, match=r"preferences\.json: the settings could not be kept"):
        store.save(Preferences())


def test_the_first_start_has_no_file_and_nothing_to_say(tmp_path: Path) -> None:
    store = JsonPreferences(tmp_path / "deep" / "preferences.json")
    assert store.load() == (Preferences(), ())
    store.save(Preferences(theme="light"))
    assert store.load()[0].theme == "light"


@given(st.lists(st.integers(0, 20)))
def test_recent_files_are_the_newest_once_each(numbers: list[int]) -> None:
    preferences = Preferences()
    for number in numbers:
        preferences = preferences.opened(Path(f"{number}.yaml"))
    newest_first = list(dict.fromkeys(f"{number}.yaml" for number in reversed(numbers)))
    assert list(preferences.recent) == newest_first[:MOST_RECENT]
