"""What a person can set about the look and the clock, as rows: the field of the preferences, its name and its choices."""

from dataclasses import dataclass

from sptrader_desktop.present.selection import Zone

SCALES = (100, 125, 150, 175, 200)  # percent


@dataclass(frozen=True, slots=True)
class Setting:
    field: str
    name: str
    choices: tuple[tuple[object, str], ...]
    tip: str


SETTINGS = (
    Setting(
        "theme",
        "Theme",
        (("system", "Same as the system"), ("light", "Light"), ("dark", "Dark")),
        "Light or dark. Same as the system follows it while the program runs.",
    ),
    Setting(
        "palette",
        "Colours",
        (("standard", "Green and red"), ("colour_blind", "Blue and orange")),
        "Blue and orange are told apart by colour-blind eyes. Signs and words say the same.",
    ),
    Setting(
        "up_colour",
        "Rising prices",
        (("green", "Green or blue"), ("red", "Red or orange")),
        "Which of the two colours means up, for candles and for profits.",
    ),
    Setting(
        "scale",
        "Size",
        tuple((percent, f"{percent} %") for percent in SCALES),
        "Text and controls change at once; charts and distances follow at the next start.",
    ),
    Setting(
        "zone",
        "Time",
        ((Zone.UTC, "UTC"), (Zone.LOCAL, "This computer's time"), (Zone.NEW_YORK, "New York, where the trading day ends at 17:00")),
        "The clock of axes and tables, which state it. Strategies and stored data are always in UTC.",
    ),
)
