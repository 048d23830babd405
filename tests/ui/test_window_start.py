"""What opening the window does before its first picture: little, and nothing heavy."""

import subprocess
import sys

CODE = """
import sys
from sptrader_desktop.app.window import open_window
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.host import run_window

HEAVY = {"numba", "pandas", "pyarrow.compute", "redis", "psycopg", "httpx", "sqlalchemy"}


def open_it(host):
    window = open_window(host, load_settings())

    def tell():
        print("candles", len(window.page.chart.candles), "heavy", sorted(HEAVY & set(sys.modules)))
        host.close()

    window.painted.disconnect()
    window.painted.connect(tell)


sys.exit(run_window(open_it))
"""


def test_nothing_heavy_is_loaded_before_the_first_picture() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "candles 2614 heavy []"), done.stderr
