"""Makes .venv from requirements.lock with nothing but the standard library, so that `make` works on a bare machine.

One stamp, written last, says what the environment was made from. Another stamp, or none because the set-up was interrupted, and it is
made again from the start: nothing is ever repaired in place.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What Qt's wheels expect of the system, by Debian's names: to be loaded at all, and to open a window on X.
QT_LIBRARIES = """
    libgl1 libegl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon0 fonts-dejavu-core
    libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
""".split()
OF_X = "libxcb-cursor.so.0 libxkbcommon-x11.so.0 libxcb-icccm.so.4 libxcb-keysyms.so.1 libxcb-shape.so.0".split()
# What the tests of the real window need: a screen without a monitor, and a hand that types and clicks.
SCREEN = {"Xvfb": "xvfb", "xdotool": "xdotool"}


class SetUpError(Exception):
    """Set-up cannot go on; the message says why and what to do."""


def fingerprint(root: Path) -> str:
    """Hash of all that decides the environment: the lock, what installing the project reads, this Python, and the place."""
    pyproject = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    installed = repr([pyproject["project"], pyproject["build-system"], pyproject["tool"]["hatch"]])
    # The place counts because an environment's scripts hold absolute paths: a moved or copied checkout makes its own.
    parts = [
        (root / "requirements.lock").read_bytes(),
        *(part.encode() for part in (installed, sys.version, platform.machine(), str(root))),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_current(root: Path) -> bool:
    stamp = root / ".venv" / "stamp"
    return stamp.is_file() and stamp.read_text() == fingerprint(root) and (root / ".venv/bin/python").exists()


def make(root: Path) -> None:
    folder, stamp = root / ".venv", root / ".venv" / "stamp"
    stamp.unlink(missing_ok=True)  # first, so that a removal cut short leaves nothing that looks complete
    if folder.exists():
        shutil.rmtree(folder)
    venv.create(folder, with_pip=True, symlinks=True)
    pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-q", "--no-compile"]
    run(folder, *pip, "--require-hashes", "-r", str(root / "requirements.lock"))
    run(folder, *pip, "--no-deps", "--no-build-isolation", "-e", str(root))
    compile_packages(folder)
    bring_qt_libraries(folder)
    unfinished = stamp.with_suffix(".tmp")
    unfinished.write_text(fingerprint(root))
    unfinished.replace(stamp)


def run(folder: Path, *arguments: str) -> None:
    # -I: PYTHONPATH, the user's site and PYTHONDONTWRITEBYTECODE must not decide what is installed.
    done = subprocess.run(
        [folder / "bin/python", "-I", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise SetUpError(
            f"{done.stdout}\nset-up stopped: `python {' '.join(arguments)}` failed as shown above; mend that and run the same again"
        )


def compile_packages(folder: Path) -> None:
    """Bytecode now, in parallel: pandas alone costs a second more at every start without it, and some machines forbid writing it later."""
    packages = [str(path) for path in folder.glob("lib/python*/site-packages")]
    # The packages' own tests are half of all files and never imported. A file that does not compile is its importer's concern.
    subprocess.run([folder / "bin/python", "-I", "-m", "compileall", "-qq", "-j0", "-x", "/tests/", *packages], check=False)


def bring_qt_libraries(folder: Path) -> None:
    """The one thing pip cannot install. Where nobody may, the command line works without; a line says what is missing."""
    missing = qt_fault(folder)
    if missing and installed("the system libraries of Qt", QT_LIBRARIES):
        missing = qt_fault(folder)
    if missing:
        wanted = " ".join(QT_LIBRARIES)
        print(f"Qt does not load ({missing}): install its libraries, in Debian: apt-get install {wanted}", file=sys.stderr, flush=True)


def bring_screen(folder: Path) -> None:
    """For `make test`. Where nobody may install it, the tests of the real window are skipped; apt is asked once for each environment."""
    tried, wanted = folder / "screen-tried", list(SCREEN.values())
    missing = screen_fault()
    if missing and not tried.exists() and installed("a screen for the tests", wanted):
        tried.touch()
        missing = screen_fault()
    if missing:
        print(
            f"Tests of the real window are skipped ({', '.join(missing)} not found); in Debian: apt-get install {' '.join(wanted)}",
            file=sys.stderr,
            flush=True,
        )


def screen_fault() -> list[str]:
    return [program for program in SCREEN if not shutil.which(program)]


def installed(what: str, packages: Sequence[str]) -> bool:
    """Whether it was tried: by root, where there is apt."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"Installing {what} …", file=sys.stderr, flush=True)
    asked = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *command], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=asked)
    return True


def qt_fault(folder: Path) -> str:
    """Why Qt's widgets cannot be loaded or shown; empty when they can."""
    of_x = OF_X if sys.platform == "linux" else []
    done = subprocess.run(
        [folder / "bin/python", "-I", "-c", f"import ctypes, PySide6.QtWidgets; [ctypes.CDLL(name) for name in {of_x}]"],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Two terminals may call make at once; the second waits and then finds nothing to do."""
    (root / ".cache").mkdir(exist_ok=True)
    with (root / ".cache" / "set_up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str] = ()) -> int:
    """`screen`: with what `make test` needs."""
    if not is_current(ROOT) and not make_alone():
        return 1
    if "screen" in arguments:
        bring_screen(ROOT / ".venv")
    return 0


def make_alone() -> bool:
    try:
        with alone(ROOT):
            if not is_current(ROOT):
                print(
                    f"Setting up {ROOT / '.venv'} with Python {platform.python_version()}: about a minute, once.",
                    file=sys.stderr,
                    flush=True,
                )
                make(ROOT)
    except (SetUpError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
