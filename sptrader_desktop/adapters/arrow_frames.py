"""Arrow files of the program as the pandas objects that components work on."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from sptrader_desktop.adapters.arrow_components import columns_of, mapped, read_answer
from sptrader_desktop.adapters.component_frames import frame_of, indicator_of, stamp_index
from sptrader_desktop.core.errors import DataError


def read_candles(path: Path) -> pd.DataFrame:
    try:
        table = mapped(path)
        attrs = json.loads(table.schema.metadata[b"candles"])
        columns = columns_of(table)
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds no candles for components ({error}): name a file that the program wrote") from error
    assert columns.stamps is not None, "whoever writes candles writes their stamps"
    return frame_of(dict(zip(columns.names, columns.arrays, strict=True)), columns.stamps, attrs)


def read_indicators(files: Mapping[str, str], source: str) -> dict[str, "pd.Series | pd.DataFrame"]:
    """By the names a signal knows them by."""
    found = {name: read_answer(Path(path), source) for name, path in files.items()}
    return {name: indicator_of(columns, stamp_index(columns.stamps)) for name, columns in found.items() if columns.stamps is not None}
