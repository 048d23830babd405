"""One style sheet for the whole application, made from the tokens. What it says of a widget by its `role` is listed in `style.qss`."""

from string import Template

from sptrader_desktop.ui.theme import tokens
from sptrader_desktop.ui.theme.asset_files import ASSETS, coloured
from sptrader_desktop.ui.theme.look import Look

# The images that Qt looks for by file name: which drawing, in which colour.
MARKS = {
    "tick.svg": ("check", "on_accent"),
    "tick-menu.svg": ("check", "text"),
    "tick-disabled.svg": ("check", "edge"),
    "part.svg": ("minus", "on_accent"),
    "down.svg": ("chevron-down", "muted"),
    "down-disabled.svg": ("chevron-down", "edge"),
    "up.svg": ("chevron-up", "muted"),
    "up-disabled.svg": ("chevron-up", "edge"),
    "right.svg": ("chevron-right", "muted"),
    "close.svg": ("x", "muted"),
    "close-tab.svg": ("x-small", "muted"),
    "float.svg": ("external-link", "muted"),
}


def marks(look: Look) -> dict[str, bytes]:
    return {file: coloured(name, getattr(look.colours, role)) for file, (name, role) in MARKS.items()}


def stylesheet(look: Look, folder: str) -> str:
    """`folder` is where the marks are."""
    words = {role: str(getattr(look.colours, role)) for role in tokens.ROLES}
    sizes = {
        "hair": 1,
        "ring": tokens.RING,
        "half": tokens.GRID // 2,
        "beside": tokens.GRID * 2 + 2,
        "round": tokens.GRID * 3 // 2 + 1,
        "radius": tokens.RADIUS,
        "icon": tokens.ICON,
        "control": tokens.CONTROL,
        "small": tokens.SMALL,
        "body": tokens.BODY,
        "title": tokens.TITLE,
        **{f"g{n}": tokens.GRID * n for n in range(1, 9)},
    }
    words |= {name: f"{look.pixels(size)}px" for name, size in sizes.items()}
    # Padding that gives way to the ring, so that nothing moves when the focus comes.
    words |= {f"{name}_ringed": f"{look.pixels(size) - look.pixels(tokens.RING) + look.pixels(1)}px" for name, size in sizes.items()}
    return Template((ASSETS / "style.qss").read_text(encoding="utf-8")).substitute(words, marks=f":/{folder}")
