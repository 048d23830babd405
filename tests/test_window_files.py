"""A file of window tests that is one test of the suite fails when anything in it does."""

import signal
from pathlib import Path

import pytest

from tests.window_files import tried


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("assert 1 + 1 == 2", 0, "1 passed"),
        ("print('what it knew'); assert 1 + 1 == 3", 1, "what it knew"),
        ("raise OSError('no disk')", 1, "no disk"),
        ("import os; os._exit(7)", 7, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV, "Segmentation fault"),
    ],
)
def test_how_a_file_ends_is_known(tmp_path: Path, body: str, code: int, words: str) -> None:
    path = tmp_path / "test_planted.py"
    path.write_text(f"def test_planted():\n    {body}\n")
    ended, text = tried(path)
    assert (ended, words in text) == (code, True), text


def test_a_file_without_a_test_or_that_cannot_be_read_is_no_success(tmp_path: Path) -> None:
    path = tmp_path / "test_planted.py"
    for content in ("", "import nothing_of_that_name\n"):
        path.write_text(content)
        assert tried(path)[0]
