"""The tokens: every colour, distance and text size that a widget may use, by the role it plays.

Numbers and colours stand here and nowhere else; a test finds a literal in any other file of `ui`, and holds the contrast of each pair.
"""

from dataclasses import dataclass, fields, replace

GRID = 4  # every distance is a multiple of this many logical pixels
SMALL, BODY, TITLE = 11, 13, 17  # text sizes in logical pixels
RADIUS = 4
ICON = 16
CONTROL = GRID * 7 - 2 * GRID - 2  # what is inside a button or field of seven grid steps: without padding and border
RING = 2  # what has the focus is framed by this much accent


@dataclass(frozen=True, slots=True)
class Colours:
    """Eight surfaces, eight meanings, and the colours of lines that have no meaning of their own."""

    window: str  # behind everything
    panel: str  # docks, bars, dialogs
    raised: str  # headers, tiles, buttons
    field: str  # where one writes and where charts and tables are drawn
    hover: str
    selected: str
    line: str  # separators and grids, quiet on purpose
    edge: str  # borders of what can be used and text of what cannot: 3:1 against window, panel, raised and field

    text: str  # 4.5:1 on every surface
    muted: str  # second things, 4.5:1 on every surface
    accent: str  # the one colour of what is active; text on it is `on_accent`
    on_accent: str
    up: str  # these four are 4.5:1 on every surface but `selected`, where text is `text`
    down: str
    warning: str
    danger: str

    series: tuple[str, ...]  # indicator lines and curves, 3:1 on field, told apart by colour-blind eyes too


ROLES = tuple(field.name for field in fields(Colours) if field.name != "series")

DARK = Colours(
    window="#0e1115",
    panel="#161a20",
    raised="#1f252d",
    field="#12151a",
    hover="#262d37",
    selected="#21406b",
    line="#2a313b",
    edge="#6a7584",
    text="#e4e7ec",
    muted="#a7b0bd",
    accent="#5b9dff",
    on_accent="#0b1220",
    up="#2fbf9b",
    down="#ff7a59",
    warning="#e8b339",
    danger="#ff6b8b",
    series=("#56b4e9", "#e69f00", "#cc79a7", "#f0e442", "#8fd19e", "#b39ddb"),
)

LIGHT = Colours(
    window="#eceff3",
    panel="#f7f8fa",
    raised="#ffffff",
    field="#ffffff",
    hover="#e3e8ef",
    selected="#cfe2ff",
    line="#d9dee5",
    edge="#7a8594",
    text="#14181f",
    muted="#515b69",
    accent="#1558c0",
    on_accent="#ffffff",
    up="#0a6f56",
    down="#b93c1c",
    warning="#805300",
    danger="#b01046",
    series=("#0072b2", "#b85a00", "#b03a7c", "#4d4a00", "#1b7f4b", "#5e35b1"),
)


def colours(*, dark: bool, colour_blind: bool = False, red_up: bool = False) -> Colours:
    """One of the eight: blue and orange in place of green and red, or up and down the other way round."""
    chosen = DARK if dark else LIGHT
    if colour_blind:
        chosen = (
            replace(chosen, up="#4cc2ff", down="#ff9f43", warning="#f4e04d")
            if dark
            else replace(chosen, up="#0067a8", down="#a84a00", warning="#665c00")
        )
    return replace(chosen, up=chosen.down, down=chosen.up) if red_up else chosen
