"""What the files of window tests load, loaded once: each of them begins in a copy of the process that has it (`tests.window_files`)."""

import gc
from importlib import import_module

LOADED = """
    pytest xdist.plugin pytest_timeout pytestqt.plugin hypothesis.strategies
    numba pandas pyarrow.parquet sptrader_desktop.runtime.backtest sptrader_desktop.adapters.pooled_components tests.ui.windows
""".split()

for name in LOADED:
    import_module(name)
gc.freeze()  # none of it is looked at again
