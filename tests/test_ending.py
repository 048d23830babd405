"""A process whose work is done ends at once, and nobody who wanted to be told before is left out."""

import os
import subprocess
import sys
import textwrap

BEGUN = """\
import atexit, sys, threading
from sptrader_desktop.runtime.ending import Ending

class Large:
    def __del__(self):
        print("taken down")

ending, kept = Ending(), Large()
atexit.register(print, "told")
threading.Thread(target=lambda: (threading.main_thread().join(), print("waited for"))).start()
"""


def ended(last: str) -> subprocess.CompletedProcess[str]:
    text = BEGUN + textwrap.dedent(last)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run([sys.executable, "-c", text], env=buffered, capture_output=True, text=True, check=False)


def test_threads_are_waited_for_others_are_told_and_all_is_written_before_the_end() -> None:
    done = ended("ending.code = 3\nsys.stderr.write('no newline')\nsys.exit(3)")
    assert (done.returncode, done.stdout, done.stderr) == (3, "waited for\ntold\n", "no newline")


def test_whoever_fails_ends_as_python_does() -> None:
    done = ended("raise OSError('no disk')")
    assert (done.returncode, done.stdout) == (1, "waited for\ntold\ntaken down\n")
    assert done.stderr.endswith("OSError: no disk\n")


def test_what_cannot_be_written_at_the_end_is_said() -> None:
    done = ended("import os\nos.close(1)\nprint('lost')\nending.code = 0")
    assert done.returncode == 120
    assert "Bad file descriptor" in done.stderr
