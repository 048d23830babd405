"""Garbage with widgets in it goes in the window's thread; a process of its own, since it is about the process' collector."""

import subprocess
import sys

import pytest

CYCLES = """
import gc, sys, threading
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
from sptrader_desktop.ui.collector import Collector

died_in = set()

class Doomed(QWidget):
    def __del__(self):
        died_in.add(threading.current_thread() is threading.main_thread())

def leave_cycles():
    for _ in range(50):
        first, second = Doomed(), Doomed()
        first.other, second.other = second, first

def work():
    kept = []
    for _ in range(200_000):
        kept.append([])
        if len(kept) > 5_000:
            kept.clear()

app = QApplication(sys.argv)
collector = Collector()
if sys.argv[1] == "collector":
    collector.start()
leave_cycles()
worker = threading.Thread(target=work)
worker.start()
worker.join()
QTimer.singleShot(1_000, app.quit)
app.exec()
collector.stop()
assert gc.isenabled()
gc.collect()
print(*sorted(died_in))
"""

ROWS = """
import gc, sys
from PySide6.QtWidgets import QApplication
from sptrader_desktop.ui.collector import Collector

app, collected = QApplication(sys.argv), []
collector = Collector()
collector.start()
gc.callbacks.append(lambda phase, _: collected.append(phase))
rows = [[] for _ in range(100_000)]
for _ in range(100):
    collector._collect()
print(len(collected))
for _ in range(200):
    collector._collect()
print(len(collected))
rows = [[] for _ in range(100_000)]
collected.clear()
collector._collect()
del rows
kept = [[] for _ in range(5_000)]
collector._collect()
print(len(collected))
collector.stop()
"""


def died_in(who: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", CYCLES, who], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(("who", "threads"), [("collector", ["True"]), ("python", ["False"])])
def test_widgets_are_taken_down_in_their_own_thread(who: str, threads: list[str]) -> None:
    """Without the collector they go wherever Python happens to be: the second case shows that the first one sees."""
    assert died_in(who) == threads


def test_rows_of_a_job_are_looked_through_when_they_have_gone_or_after_a_minute() -> None:
    """A run of a million bars is kept for some seconds, and has so many rows that the window would stand still for as long as they take."""
    done = subprocess.run([sys.executable, "-c", ROWS], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "2", "2"]
