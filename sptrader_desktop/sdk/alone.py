"""A component file run by itself: candles and parameters from the environment, the result to a file or the terminal."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

_EXAMPLE = '{"period": 20}'


def load_data_from_env() -> pd.DataFrame:
    """The candles that DATA_SOURCE and TEST_DATASET name; a bare file name is looked up in the workspace's data folder."""
    source = os.environ.get("DATA_SOURCE", "parquet")
    if source != "parquet":
        raise SystemExit(f"DATA_SOURCE={source}: only 'parquet' can be read here; set TEST_DATASET to a candle file")
    name = os.environ.get("TEST_DATASET")
    if not name:
        raise SystemExit("TEST_DATASET is not set: name a candle file, for example EURUSD_1h_2024-01-02_2024-05-31.parquet")
    from sptrader_desktop.adapters.candle_files import load_candles
    from sptrader_desktop.adapters.component_frames import candle_frame
    from sptrader_desktop.core.errors import SptraderError

    try:
        return candle_frame(load_candles(_dataset(Path(name))))
    except SptraderError as error:
        raise SystemExit(str(error)) from None


def _dataset(path: Path) -> Path:
    for folder in (Path(), *Path.cwd().parents, Path.cwd()):
        for candidate in (folder / path, folder / "data" / path):
            if candidate.is_file():
                return candidate
    return path


def _params_from_env() -> dict[str, Any]:
    text = os.environ.get("COMPONENT_PARAMS") or "{}"
    try:
        params = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise SystemExit(f"COMPONENT_PARAMS={text}: this is not JSON ({error}); write it like {_EXAMPLE}") from None
    if not isinstance(params, dict):
        raise SystemExit(f"COMPONENT_PARAMS={text}: give names with their values, like {_EXAMPLE}")
    return params


def _write_result(result: pd.DataFrame, target: Path) -> None:
    """Whoever waits for the file finds it whole."""
    temporary = target.with_name(target.name + ".tmp")
    try:
        result.reset_index().to_feather(temporary, compression="uncompressed")
        temporary.replace(target)
    except OSError as error:
        raise SystemExit(
            f"RESULT_PATH={target}: it cannot be written ({error.strerror or error}); name a file in a folder of yours"
        ) from None


def main(component: type, metadata: Mapping[str, Any]) -> None:
    """Run a component file alone on the candles the environment names; the result goes to RESULT_PATH (Arrow) or the terminal."""
    import __main__ as script
    from sptrader_desktop.adapters.inprocess_components import run_alone
    from sptrader_desktop.core.errors import SptraderError

    params, data = _params_from_env(), load_data_from_env()
    try:
        result = run_alone(Path(str(script.__file__)), data, params)
    except SptraderError as error:
        raise SystemExit(str(error)) from None
    target = os.environ.get("RESULT_PATH")
    if target:
        _write_result(result, Path(target))
        return
    with suppress(BrokenPipeError), pd.option_context("display.max_rows", 40, "display.width", 140):
        print(f"{metadata['name']} ({component.__name__}): {len(result)} rows over {len(data)} candles")
        print(result)
