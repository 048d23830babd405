"""Where fonts, icons and the style sheet lie: beside the code, in a checkout and in a wheel."""

from functools import cache
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"


@cache
def icon_source(name: str) -> str:
    """The drawing as SVG, its strokes in `currentColor`."""
    path = ASSETS / "icons" / f"{name}.svg"
    if not path.is_file():
        raise LookupError(f"no icon is named '{name}': put its drawing into {path.parent}")
    return path.read_text(encoding="utf-8")


def coloured(name: str, colour: str) -> bytes:
    return icon_source(name).replace("currentColor", colour).encode()
