"""The window's code, loaded in the order and the way that make its first picture quick."""

import gc
import os
from types import ModuleType

from sptrader_desktop.ui.lean_qt import load_qt


def loaded_window() -> ModuleType:
    """`app.window`. Nothing that is loaded goes away again, so nobody looks for it meanwhile; later the window collects by itself. And the
    threads that numpy would have wait for large matrices, of which there are none, would turn a processor for a tenth of a second."""
    gc.disable()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    load_qt()
    from sptrader_desktop.ui.charts.lean_pyqtgraph import load_pyqtgraph

    load_pyqtgraph()
    from sptrader_desktop.app import window

    return window
