"""Workspaces of one indicator and one signal, written so that a test can put any answer into either."""

from pathlib import Path

INDICATOR = """\
import numpy as np
import pandas as pd
from decimal import Decimal
__metadata_version__ = 2
__metadata__ = {"name": "plain", "family": "test", "outputs": ["plain"], "warm_up": "1"}


class Plain:
    def calculate(self, data):
        return %s
"""
SIGNAL = """\
import pathlib
import sys
import time
import numpy as np
import pandas as pd
from decimal import Decimal
from sptrader_desktop.sdk import events
__metadata_version__ = 2
__metadata__ = {
    "name": "cross",
    "parameters": {"number": {"type": "int", "default": 1}},
    "required_indicators": [{"name": "plain", "type": "plain"}],
    "event_types": ["up", "down"],
    "outputs": ["extra"],
    "warm_up": "1",
}


class Cross:
    def __init__(self, number=1):
        self.number = number

    def evaluate(self, data, indicators):
        at = data.index[[2, 5]]
        return %s
"""
GOOD = 'events(at, ["up", "down"], [0.5, 1.0], extra=data["close"].iloc[[2, 5]].to_numpy())'


def workspace(folder: Path, answer: str = GOOD, values: str = 'data["close"]') -> Path:
    for name, text in (("indicators/test/plain.py", INDICATOR % values), ("signals/cross.py", SIGNAL % answer)):
        path = folder / "core" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
