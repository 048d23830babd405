"""The tokens: every colour, distance and text size that a widget may use, by the role it plays.

Numbers and colours stand here and nowhere else; a test finds a literal in any other file of `ui`, and holds the contrast of each pair.
"""

from dataclasses import dataclass

GRID = 4  # every distance is a multiple of this many logical pixels
SMALL, BODY, TITLE = 11, 13, 17  # text sizes in logical pixels
RADIUS = 4


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
    edge: str  # borders of what can be used: 3:1 against panel and field

    text: str  # 4.5:1 on every surface
    muted: str  # second things, 4.5:1 on panel and field
    accent: str  # the one colour of what is active; text on it is `on_accent`
    on_accent: str
    up: str
    down: str
    warning: str
    danger: str

    series: tuple[str, ...]  # indicator lines and curves, told apart by colour-blind eyes too


DARK = Colours(
    window="#0f1216",
    panel="#161a20",
    raised="#1f252d",
    field="#12151a",
    hover="#262d37",
    selected="#21406b",
    line="#2a313b",
    edge="#6b7685",
    text="#e6e9ee",
    muted="#a3adba",
    accent="#5b9dff",
    on_accent="#0b1220",
    up="#2fbf9b",
    down="#ff7a59",
    warning="#e8b339",
    danger="#ff6b6b",
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
    up="#0b7a5f",
    down="#b93c1c",
    warning="#8a5a00",
    danger="#b3261e",
    series=("#0072b2", "#b35900", "#a23b72", "#6b6000", "#1b7f4b", "#5e35b1"),
)
