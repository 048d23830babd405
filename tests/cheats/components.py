"""What the planted components compute, what should be found, and the words on the line that is to be named."""

from dataclasses import dataclass
from pathlib import Path

from sptrader_desktop.runtime.honesty_plan import DETERMINISM, HIGHER_TIMEFRAMES, LOOK_AHEAD, OWN_DATA, STATE, WARM_UP

INDICATOR = """\
import datetime
import os
import random
import time
from pathlib import Path
import numpy as np
import pandas as pd
__metadata_version__ = 2
__metadata__ = {{"name": "{name}", "family": "planted", "outputs": ["{name}"], "warm_up": "{warm_up}"}}
FILE = {file!r}
CALLS = []
KEPT = {{}}


class Planted:
    def calculate(self, data):
        close = data["close"]
        n = len(data)
        {body}
        return pd.Series(np.asarray(answer, float), index=data.index)
"""
SIGNAL = """\
import numpy as np
import pandas as pd
from sptrader_desktop.sdk import crossed_above, crossed_below, events
__metadata_version__ = 2
__metadata__ = {{
    "name": "{name}",
    "event_types": ["up", "down", "on"],
    "required_indicators": {required},
    "outputs": ["extra"],
    "warm_up": "{warm_up}",
}}


class Planted:
    def evaluate(self, data, indicators):
        close = data["close"]
        extra = close
        strength = 1.0 + 0 * close
        {body}
        at = up | down
        kind = np.where(up[at], "up", "down")
        return events(data.index[at], kind, strength[at].to_numpy(), extra=extra[at].to_numpy())
"""
NEVER = "down = up & False"


@dataclass(frozen=True, slots=True)
class Planted:
    """`check` is None for the honest; `reach` is how many bars before the cut the first difference lies, where that is fixed."""

    body: str
    check: str | None = None
    words: str = ""
    warm_up: str = "1"
    reach: int | None = None
    required: str = "[]"

    @property
    def is_signal(self) -> bool:
        return "up = " in self.body

    def text(self, name: str, file: Path) -> str:
        body = self.body.replace("\n", "\n        ")
        template = SIGNAL if self.is_signal else INDICATOR
        return template.format(name=name, warm_up=self.warm_up, file=str(file), body=body, required=self.required)


CHEATS = {
    "next_close": Planted("answer = close.shift(-1)", LOOK_AHEAD, "shift(-1)", reach=1),
    "next_change": Planted("answer = close.pct_change(-3)", LOOK_AHEAD, "pct_change(-3)", reach=3),
    "centred": Planted("answer = close.rolling(5, center=True).mean()", LOOK_AHEAD, "center=True", reach=2),
    "normalised": Planted("spread = close.std()\nanswer = (close - close.mean()) / spread", LOOK_AHEAD, "close.std()"),
    "filled_back": Planted("rises = close.diff() > 0.0005\nanswer = close.where(rises).bfill()", LOOK_AHEAD, "bfill()"),
    "gradient": Planted("answer = np.gradient(close)", LOOK_AHEAD, "np.gradient", reach=1),
    "rolled": Planted("answer = np.roll(close, -1)", LOOK_AHEAD, "np.roll", reach=1),
    "ranked": Planted(
        "order = close.sort_values().index\nanswer = pd.Series(range(n), index=order)[data.index]", LOOK_AHEAD, "sort_values"
    ),
    "from_the_top": Planted("answer = np.arange(n) - np.argmax(close)", LOOK_AHEAD, "np.argmax"),
    "backwards": Planted("answer = close[::-1].ewm(span=5).mean()[::-1]", LOOK_AHEAD, "[::-1]", warm_up="100"),
    "labelled": Planted(
        "label = np.sign(close.shift(-5) - close)\nanswer = label.where(np.arange(n) % 10 == 0).ffill()", LOOK_AHEAD, "shift(-5)", "20"
    ),
    "next_pause": Planted(
        "stamps = data.index.to_series()\nanswer = stamps.diff().shift(-1).dt.total_seconds()", LOOK_AHEAD, "shift(-1)", "2", reach=1
    ),
    "by_length": Planted("answer = close * n", LOOK_AHEAD),
    "fails_when_short": Planted("assert n > 2600\nanswer = close", LOOK_AHEAD),
    "four_hours": Planted(
        'higher = close.resample("4h").last()\nanswer = higher.reindex(data.index, method="ffill")', HIGHER_TIMEFRAMES, "resample", "8"
    ),
    "closed_left": Planted(
        'higher = close.resample("4h", closed="right", label="left").max()\nanswer = higher.reindex(data.index, method="ffill")',
        HIGHER_TIMEFRAMES,
        "resample",
        "9",
    ),
    "same_day": Planted(
        'daily = close.groupby(data.index.normalize()).last()\nanswer = daily.reindex(data.index, method="ffill")',
        HIGHER_TIMEFRAMES,
        "groupby",
        "25",
    ),
    "file_by_stamp": Planted(
        'file = pd.read_parquet(FILE).set_index("timestamp")\nanswer = file["close"].shift(-1).reindex(data.index)',
        OWN_DATA,
        "read_parquet",
    ),
    "file_by_row": Planted(
        'file = pd.read_parquet(FILE)["close"].to_numpy()\nanswer = np.resize(file[1:], n)', OWN_DATA, "read_parquet", "all"
    ),
    "before_now": Planted('now = pd.Timestamp.now("UTC")\nanswer = close.where(data.index < now)', OWN_DATA, "now("),
    "kept_by_length": Planted("answer = KEPT.setdefault(n, close.to_numpy())", OWN_DATA),
    "cumulated": Planted("steps = close.diff().fillna(0)\nanswer = steps.cumsum()", WARM_UP, '"warm_up"', "20"),
    "short_warm_up": Planted("answer = close.ewm(span=20, adjust=False).mean()", WARM_UP, '"warm_up"', "20"),
    "clock": Planted("answer = close + time.time_ns() % 1000", DETERMINISM, "time_ns"),
    "chance": Planted("answer = close + np.random.default_rng().normal()", DETERMINISM, "default_rng"),
    # Signals.
    "up_next": Planted(f"up = close.shift(-1) > close * 1.001\n{NEVER}", LOOK_AHEAD, "shift(-1)", reach=1),
    "avoids_losses": Planted(
        f"loses = close.shift(-1) < close * 0.998\nup = (close > close.shift(1)) & ~loses\n{NEVER}", LOOK_AHEAD, "shift(-1)", "2", reach=1
    ),
    "avoids_rare_losses": Planted(
        f"loses = close.shift(-1) < close * 0.9995\nup = (close > close.shift(1) * 1.0015) & ~loses\n{NEVER}",
        LOOK_AHEAD,
        "shift(-1)",
        "2",
        reach=1,
    ),
    "stamped_early": Planted(
        "fast, slow = close.rolling(5).mean(), close.rolling(20).mean()\n"
        "up = crossed_above(fast, slow).shift(-1, fill_value=False)\ndown = crossed_below(fast, slow)",
        LOOK_AHEAD,
        "shift(-1",
        "21",
        reach=1,
    ),
    "at_the_top": Planted(f"up = close == close.max()\n{NEVER}", LOOK_AHEAD, "close.max()"),
    "last_bar": Planted(f"up = data.index == data.index[-1]\nup = pd.Series(up, index=data.index)\n{NEVER}", LOOK_AHEAD, "", reach=1),
    "strength": Planted(
        f"up = close > close.shift(1) * 1.0005\n{NEVER}\nstrength = close.shift(-2, fill_value=1.0)", LOOK_AHEAD, "shift(-2", "2"
    ),
    "extra": Planted(f"up = close > close.shift(1) * 1.0005\n{NEVER}\nextra = close[::-1].cummax()[::-1]", LOOK_AHEAD, "[::-1]", "2"),
    "higher_cross": Planted(
        'higher = close.resample("4h").last()\nabove = (higher > higher.rolling(6).mean()).reindex(data.index, method="ffill")\n'
        "up, down = above & ~above.shift(1, fill_value=False), ~above & above.shift(1, fill_value=False)\nup = up",
        HIGHER_TIMEFRAMES,
        "resample",
        "60",
    ),
}

# These are seen only where two attempts are two processes, each with a hash seed of its own.
CHEATS_OF_PROCESSES = {
    "counted": Planted("CALLS.append(n)\nanswer = close + len(CALLS)", STATE, "CALLS.append"),
    "third_call": Planted("CALLS.append(n)\nanswer = close + (len(CALLS) > 2)", STATE, "CALLS.append"),
    "kept": Planted("kept = KEPT.setdefault('first', close.iloc[0])\nanswer = close - kept", STATE, "KEPT.setdefault", "all"),
    "hash_order": Planted(
        'names = {"open", "high", "low", "close", "volume"}\nanswer = sum(data[name] * i for i, name in enumerate(names))',
        DETERMINISM,
        "names = {",
    ),
    "environment": Planted('answer = close + float(os.environ["PYTHONHASHSEED"])', DETERMINISM, "os.environ"),
    "process": Planted("answer = close + os.getpid()", DETERMINISM, "getpid"),
}

HONEST = {
    "plain": Planted("answer = close"),
    "constant": Planted("answer = np.ones(n)"),
    "nothing": Planted("answer = np.full(n, np.nan)"),
    "smooth": Planted("answer = close.ewm(span=20, adjust=False).mean()", warm_up="220"),
    "z_score": Planted("window = close.rolling(20)\nanswer = (close - window.mean()) / window.std()", warm_up="20"),
    "highest_so_far": Planted("answer = close.cummax()", warm_up="all"),
    "regime": Planted("answer = np.sign(close - close.rolling(50).mean())", warm_up="50"),
    "hour": Planted("answer = data.index.hour"),
    "new_york_hour": Planted('answer = data.index.tz_convert("America/New_York").hour'),
    "weekday": Planted("answer = data.index.day_of_week"),
    "day_of_month": Planted("answer = data.index.day"),
    "last_pause": Planted("answer = data.index.to_series().diff().dt.total_seconds()", warm_up="2"),
    "yesterday": Planted(
        'daily = close.groupby(data.index.normalize()).last().shift(1)\nanswer = daily.reindex(data.index, method="ffill")', warm_up="75"
    ),
    "four_hours_closed": Planted(
        'higher = close.resample("4h").last().ffill().shift(1)\nanswer = higher.reindex(data.index, method="ffill")', warm_up="9"
    ),
    "since_monday": Planted(
        'week = data.index.tz_localize(None).to_period("W").start_time\nanswer = close / close.groupby(week).transform("first")',
        warm_up="124",
    ),
    "with_seed": Planted("answer = close + np.random.default_rng(1).normal()"),
    # Signals.
    "never": Planted(f"up = close < 0\n{NEVER}"),
    "always": Planted(f"up = close > 0\n{NEVER}"),
    "mornings": Planted(f"up = pd.Series(data.index.hour < 9, index=data.index)\n{NEVER}"),
    "crossing": Planted(
        "fast, slow = close.rolling(5).mean(), close.rolling(20).mean()\nup = crossed_above(fast, slow)\ndown = crossed_below(fast, slow)",
        warm_up="21",
    ),
    "breaking_out": Planted(
        'up = close > data["high"].rolling(48).max().shift(1)\ndown = close < data["low"].rolling(48).min().shift(1)', warm_up="49"
    ),
    "once": Planted(f"up = pd.Series(np.arange(len(data)) == 0, index=data.index)\n{NEVER}", warm_up="all"),
}


def plant(folder: Path, planted: dict[str, Planted], file: Path) -> Path:
    """A workspace that holds them; `file` is what those that read a file read."""
    for name, it in planted.items():
        path = folder / "core" / ("signals" if it.is_signal else "indicators/planted") / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(it.text(name, file), encoding="utf-8")
    return folder
