"""The window's code, loaded in the order and the way that make its first picture quick."""

import gc
import os
from importlib import import_module
from types import ModuleType

from sptrader_desktop.app.kept_code import code_kept_beside
from sptrader_desktop.ui.lean_qt import load_qt

# Loaded only when they are asked for, which the first picture does.
ASKED_FOR = ("adapters.run_store", "adapters.catalogue_candles", "runtime.workspace")
# Writes Qt's type stubs: argparse and expressions that take longer to compile than all of ours.
QT_WITHOUT = frozenset({"shibokensupport/signature/lib/pyi_generator.py"})


def loaded_window() -> ModuleType:
    """`app.window`. Nothing that is loaded goes away again, so nobody looks for it meanwhile; later the window collects by itself. And the
    threads that numpy would have wait for large matrices, of which there are none, would turn a processor for a tenth of a second."""
    gc.disable()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with code_kept_beside(__file__, without=QT_WITHOUT):
        load_qt()
        from sptrader_desktop.ui.charts.lean_pyqtgraph import load_pyqtgraph

        load_pyqtgraph()
        from sptrader_desktop.app import window

        for name in ASKED_FOR:
            import_module(f"sptrader_desktop.{name}")
        return window
