"""Screens that are not there: without a size of theirs Qt gives a window 800×800, whatever it asks for."""

import json
from pathlib import Path


def screens(file: Path, *names: str, size: tuple[int, int]) -> str:
    """Side by side; a value for QT_QPA_PLATFORM. `file` describes them."""
    found = [{"name": name, "x": size[0] * at, "y": 0, "width": size[0], "height": size[1]} for at, name in enumerate(names)]
    file.write_text(json.dumps({"screens": found}), encoding="utf-8")
    return f"offscreen:configfile={file}"
