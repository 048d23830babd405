"""A run's row of the index as its own folder says it: so one comes back from the trash, and all where the index is lost."""

import hashlib
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from sptrader_desktop.core.money import fixed
from sptrader_desktop.present.document_parts import document_parts

LISTED = "listed.json"  # the row as it stood in the index; runs that were kept before there was one lack it
RUN_ID = re.compile(r"r\d{4,}-[a-z0-9_-]{1,40}")
FILES = (
    "document.json",
    "strategy.yaml",
    "recipe.json",
    *(f"{name}.arrow" for name in ("trades", "fills", "orders", "verdicts", "equity")),
)
KINDS = (int, str, int, str, str, str, int, int, str, str)


def kept_row(folder: Path) -> list[Any] | None:
    """As it was listed when it was kept; nothing where that is not what a run's row is."""
    try:
        row = json.loads((folder / LISTED).read_bytes())
        json.loads(row[-1])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    is_row = len(row) == len(KINDS) and all(type(value) is kind for value, kind in zip(row, KINDS, strict=True))
    is_own = is_row and RUN_ID.fullmatch(folder.name) and row[1] == folder.name and row[0] == number_of(folder.name)
    return row if is_own and all(abs(value) < 1 << 63 for value in row if isinstance(value, int)) else None


def row_of_files(folder: Path) -> list[Any] | None:
    """Made of what the files say: they count as they are now. Nothing where one is missing or says nothing of a run."""
    try:
        contents = {name: (folder / name).read_bytes() for name in FILES}
        said = document_parts(contents["document.json"], ("manifest", "total_pnl", "total_trades"))
        manifest, kept_at = said["manifest"], (folder / "document.json").stat().st_mtime_ns // 1000
        about = [manifest["strategy"]["name"], *traded(manifest), said["total_trades"], fixed(Decimal(said["total_pnl"]))]
        currency = manifest["terms"]["currency"]
    except (OSError, ValueError, ArithmeticError, TypeError, LookupError, RecursionError):
        return None
    hashes = json.dumps({name: hashed(content) for name, content in contents.items()}, sort_keys=True)
    return [number_of(folder.name), folder.name, kept_at, *about, currency, hashes]


def traded(manifest: Any) -> tuple[str, str]:
    """Symbols and timeframes, each once."""
    symbols = " ".join(data["symbol"] for data in manifest["data"])
    return symbols, " ".join(dict.fromkeys(data["timeframe"] for data in manifest["data"]))


def number_of(run_id: str) -> int:
    return int(run_id[1:].partition("-")[0])


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
