"""What the files of window tests load, loaded once: each of them begins in a copy of the process that has it (`tests.window_files`)."""

import gc
import os
from importlib import import_module
from pathlib import Path

from sptrader_desktop.runtime.kernel_cache import is_compiled

LOADED = """
    pytest xdist.plugin pytest_timeout pytestqt.plugin hypothesis.strategies
    numba pandas pyarrow.parquet sptrader_desktop.runtime.backtest sptrader_desktop.adapters.pooled_components tests.ui.windows
""".split()

for name in LOADED:
    import_module(name)
if is_compiled(Path(os.environ["NUMBA_CACHE_DIR"])):  # else whoever needs the rules first compiles them
    from sptrader_desktop.core.simulation import run
    from tests.markets import random_case
    from tests.parity import job_of

    run(job_of(random_case(1)))
gc.freeze()  # none of it is looked at again
