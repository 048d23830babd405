"""A kept run in one file to hand on, `.sptrun`: a zip of the run's own files and a list of their SHA-256.

It names its candles and does not hold them; no folder of the computer it was made on is in it. What comes from strangers is believed
only after it was measured: known names, no folders, no bombs, every hash right.
"""

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from sptrader_desktop.adapters.run_tables import decode_table, encode_tables
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.ports import FinishedRun, StoredRun
from sptrader_desktop.runtime.recipe import Recipe

SUFFIX, LIST, VERSION = ".sptrun", "bundle.json", 1
NEEDED = ("document.json", "strategy.yaml", "recipe.json")
TABLES = ("trades.arrow", "fills.arrow", "orders.arrow", "verdicts.arrow", "equity.arrow")
SIDE_FILES = {"instruments": "instruments.yaml", "financing": "financing.yaml"}
LARGEST_FILE, LARGEST_BUNDLE, TIGHTEST = 512 << 20, 1 << 30, 200  # bytes, bytes, how many times a file may grow
RUN_NAME = re.compile(r"[a-z0-9_-]{1,60}")
PATHS = frozenset("strategy instruments financing".split())
PATH_LISTS = frozenset("data ask finer finer_ask rates".split())
REMEDY = "ask for it again"


# Writing


def bundle_bytes(stored: StoredRun) -> bytes:
    """The same run gives the same bytes. Rates and instruments from files travel as they are now; `verify` says if they differ."""
    recipe = Recipe.from_json(stored.recipe)
    contents = {"document.json": stored.document, "strategy.yaml": stored.strategy_text.encode()}
    contents |= {f"{name}.arrow": table for name, table in stored.tables.items()}
    for field, name in SIDE_FILES.items():
        if path := getattr(recipe, field):
            contents[name] = _side_file(stored.id, Path(path))
    contents["recipe.json"] = _json(_without_folders(stored.id, recipe))
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    listed = _json({"format": "sptrun", "version": VERSION, "run": stored.id, "sha256": hashes})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [(LIST, listed), *sorted(contents.items())]:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # always of 1980: a clock would change the bytes
    return out.getvalue()


def _side_file(run_id: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}, which run {run_id} was made with, cannot be read ({error.strerror}): put it back first") from None


def _without_folders(run_id: str, recipe: Recipe) -> dict[str, Any]:
    """Files by their names alone, each telling one of them."""
    asked = recipe.as_json()
    paths = {path for name in PATH_LISTS for path in asked[name]}
    names = [_file_name(path) for path in sorted(paths)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise RunError(f"run {run_id} reads two files called {twice}: a bundle knows files by name, run it again with other names")
    odd = next((name for name in names if not _is_plain(name)), None)
    if odd:
        raise RunError(f"run {run_id} reads a file called {odd}: not every system has such names, rename it and run again")
    asked |= {name: [_file_name(path) for path in asked[name]] for name in PATH_LISTS}
    asked |= {"strategy": "strategy.yaml"} | {field: name if asked[field] else "" for field, name in SIDE_FILES.items()}
    return asked


def _file_name(path: str) -> str:
    """Of a path of any system: a run may be handed on from Windows to Linux."""
    return PureWindowsPath(path).name if "\\" in path and not path.startswith("/") else PurePosixPath(path).name


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode()


# Reading


class ZipRunBundle:
    """One bundle as a store of one run. Its recipe names files in `folder`, where `unpack` puts the small ones."""

    def __init__(self, path: Path, folder: Path, places: Sequence[Path]) -> None:
        self._path, self._folder, self._places = path, folder, places

    def load(self, asked: str) -> StoredRun:
        """Only what is asked for is here, so `asked` is the bundle itself."""
        files = read_bundle(self._path)
        listed = _object(self._path, files[LIST], "list of files")
        recipe = self._at_hand(_checked_recipe(self._path, files["recipe.json"]), files)
        try:
            text = files["strategy.yaml"].decode()
        except UnicodeDecodeError:
            raise RunError(f"{asked}: its strategy is no text: {REMEDY}") from None
        _check_document(self._path, files["document.json"])
        tables = {name.removesuffix(".arrow"): content for name, content in files.items() if name.endswith(".arrow")}
        return StoredRun(str(listed["run"]), files["document.json"], text, recipe, tables)

    def rows(self, table: bytes) -> Mapping[str, Sequence[int]]:
        return decode_table(table)

    def tables(self, run: FinishedRun) -> Mapping[str, bytes]:
        return encode_tables(run.outcome, run.manifest)

    def _at_hand(self, recipe: dict[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
        """With the places where the files are on this computer."""
        for name in ("strategy.yaml", *SIDE_FILES.values()):
            if name in files:
                (self._folder / name).write_bytes(files[name])
        found = recipe | {field: str(self._folder / recipe[field]) if recipe[field] else "" for field in PATHS}
        return found | {field: [str(self._candles(name)) for name in recipe[field]] for field in PATH_LISTS}

    def _candles(self, name: str) -> Path:
        found = next((place / name for place in self._places if (place / name).is_file()), None)
        if found is None:
            raise RunError(f"{self._path} needs the candles {name}, which it names and does not hold: put the file beside it")
        return found


def read_bundle(path: Path) -> dict[str, bytes]:
    """Every file of it, each with the hash that the list says."""
    try:
        with zipfile.ZipFile(path) as archive:
            files = _measured(path, archive)
    except FileNotFoundError:
        raise RunError(f"{path}: there is no such file") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise RunError(f"{path} is no bundle of a run, or is damaged ({error}): {REMEDY}") from None
    _check_hashes(path, files)
    return files


def _measured(path: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    known = {LIST, *NEEDED, *TABLES, *SIDE_FILES.values()}
    found = archive.infolist()
    strange = next((item.filename for item in found if item.filename not in known), None)
    if strange is not None:
        raise RunError(f"{path} holds {strange[:80]!r}, which no bundle holds: {REMEDY}")
    names = [item.filename for item in found]
    if len(set(names)) < len(names) or not {LIST, *NEEDED} <= set(names):
        raise RunError(f"{path} lacks a file or holds one twice: {REMEDY}")
    is_bomb = any(item.file_size > max(LARGEST_FILE // 1024, TIGHTEST * item.compress_size) for item in found)
    if is_bomb or any(item.file_size > LARGEST_FILE for item in found) or sum(item.file_size for item in found) > LARGEST_BUNDLE:
        raise RunError(f"{path} would unpack to more than {LARGEST_BUNDLE >> 30} GiB, which no run is: {REMEDY}")
    # zipfile stops at the size that was announced and checks the sum of it.
    return {item.filename: archive.read(item) for item in found}


def _check_hashes(path: Path, files: Mapping[str, bytes]) -> None:
    listed = _object(path, files[LIST], "list of files")
    if listed.get("format") != "sptrun" or not isinstance(listed.get("version"), int):
        raise RunError(f"{path} is no bundle of a run: {REMEDY}")
    if listed["version"] > VERSION:
        raise RunError(f"{path} was written by a newer sptrader (version {listed['version']}, this one knows {VERSION}): update sptrader")
    hashes = listed.get("sha256")
    if not isinstance(hashes, dict) or not RUN_NAME.fullmatch(str(listed.get("run"))):
        raise RunError(f"{path}: its list of files is damaged: {REMEDY}")
    for name, content in files.items():
        if name != LIST and hashes.get(name) != hashlib.sha256(content).hexdigest():
            raise RunError(f"{path}: {name} is not what it was when the bundle was made: {REMEDY}")
    if set(hashes) != set(files) - {LIST}:
        raise RunError(f"{path} lacks a file that it lists: {REMEDY}")


def _object(path: Path, content: bytes, what: str) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise RunError(f"{path}: its {what} cannot be read: {REMEDY}")
    return read


def _checked_recipe(path: Path, content: bytes) -> dict[str, Any]:
    recipe = _object(path, content, "recipe")
    for item in fields(Recipe):
        value = recipe.setdefault(item.name, [] if item.name in PATH_LISTS or item.name in ("symbols", "params") else item.default)
        parts = value if isinstance(value, list) else [value]
        is_list = item.name in PATH_LISTS or item.name in ("symbols", "params")
        if isinstance(value, list) != is_list or not all(isinstance(part, str) for part in parts):
            raise RunError(f"{path}: {item.name} of its recipe is not what a run is asked for with: {REMEDY}")
        if item.name in PATHS | PATH_LISTS and any(part and not _is_plain(part) for part in parts):
            raise RunError(f"{path}: its recipe names a file in a folder, and a bundle knows none: {REMEDY}")
    if recipe["strategy"] != "strategy.yaml" or any(recipe[field] not in ("", name) for field, name in SIDE_FILES.items()):
        raise RunError(f"{path}: its recipe names files that a bundle does not hold: {REMEDY}")
    return recipe


def _is_plain(name: str) -> bool:
    return name == _file_name(name) and name not in (".", "..") and "\0" not in name and ":" not in name


def _is_instant(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _check_document(path: Path, content: bytes) -> None:
    """So much of its shape that a comparison with it cannot stumble."""
    manifest = _object(path, content, "result").get("manifest")
    dicts, lists = "strategy components parameters terms instruments engine versions".split(), "data rates finer".split()
    is_shaped = (
        isinstance(manifest, dict)
        and all(isinstance(manifest.get(name), dict) for name in dicts)
        and all(isinstance(manifest.get(name), list) for name in lists)
        and all(isinstance(item, dict) and "sha256" in item for item in manifest["components"].values())
        and all(
            isinstance(item, dict) and {"symbol", "timeframe", "fingerprint"} <= item.keys() for name in lists for item in manifest[name]
        )
        and all(isinstance(item.get("rows"), int) for name in lists for item in manifest[name])
        and all(_is_instant(item.get(end)) for name in lists for item in manifest[name] if item["rows"] for end in ("first", "last"))
        and "version" in manifest["engine"]
    )
    if not is_shaped:
        raise RunError(f"{path}: its result does not say what went into it: {REMEDY}")
