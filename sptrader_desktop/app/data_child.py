"""The process in which the Data page's work is done: a file of a million rows held the window up while it was read beside it."""

import os
import pickle
from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from sptrader_desktop.adapters.process_limits import die_with
from sptrader_desktop.app.data_desk import WindowDataDesk
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.import_form import ImportAnswers, ImportPreview
from sptrader_desktop.runtime.far_calls import serve
from sptrader_desktop.runtime.own_connection import own_connection
from sptrader_desktop.settings import Settings
from sptrader_desktop.ui.data.data_desk import Report

HELD = 2  # what is being kept, and what is looked at meanwhile


@dataclass(frozen=True, slots=True)
class HeldCandles:
    """They stay where they were read."""

    number: int
    bars: int

    def __len__(self) -> int:
        return self.bars


class HoldingDataDesk(WindowDataDesk):
    """Candles of a preview are too many to be handed over."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._numbers = count()
        self._held: OrderedDict[int, Any] = OrderedDict()

    def preview(self, path: Path, answers: ImportAnswers, report: Report) -> ImportPreview:
        found = super().preview(path, answers, report)
        if found.candles is None:
            return found
        held = HeldCandles(next(self._numbers), len(found.candles))
        self._held[held.number] = found.candles
        while len(self._held) > HELD:
            self._held.popitem(last=False)
        return replace(found, candles=held)

    def keep(self, preview: ImportPreview, place: str, replace_: bool) -> str:
        candles = self._held.get(preview.candles.number)
        if candles is None:
            raise DataError(f"{Path(preview.path).name}: what was read of it is no longer at hand: choose the file again")
        return super().keep(replace(preview, candles=candles), place, replace_)


def main(parent: int) -> None:
    asked, answers = own_connection()
    die_with(parent)
    settings: Settings = pickle.load(asked)
    serve(HoldingDataDesk(settings), asked, answers)
    os._exit(0)  # whoever asked is gone; what still runs is nobody's
