"""An answer is known by what its component's author installed, too: another version is another answer."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.component_sources import ComponentSources
from sptrader_desktop.ports import ComponentJob
from sptrader_desktop.runtime.honesty_memory import HonestyMemory
from tests.component_files import workspace
from tests.pool_benches import PATIENT, Bench, bench
from tests.small_runs import hourly

PLAIN = "indicators.test.plain"
NO_CANDLES = 'data["close"] * 0 + '


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages that is searched for imports."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def pool(site: Path, tmp_path: Path) -> Iterator[Bench]:
    """Started after the folder is searched, so that its workers search it too."""
    made = bench("asyncio", tmp_path / "bench", PATIENT)
    yield made
    made.close()


def install(site: Path, name: str, version: str, source: str = "", requires: str = "", old: str = "") -> None:
    """As an installer does it: the version is in the name of the folder that says so. `Name` is imported as `name`."""
    if old:
        for path in (site / f"{name}-{old}.dist-info").iterdir():
            path.unlink()
        (site / f"{name}-{old}.dist-info").rmdir()
    (site / f"{name.lower()}_lib.py").write_text(source)
    about = site / f"{name}-{version}.dist-info"
    about.mkdir()
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
    (about / "RECORD").write_text(f"{name.lower()}_lib.py,,\n{about.name}/METADATA,,\n")


def using(folder: Path, imports: str, value: str) -> Path:
    path = workspace(folder, values=NO_CANDLES + value) / "core" / "indicators" / "test" / "plain.py"
    path.write_text(f"{imports}\n{path.read_text()}")
    return folder


def answer(pool: Bench, folder: Path) -> float:
    return float(pool.run(folder, [ComponentJob(PLAIN, {}, hourly())])[0].values()["plain"][0])


def fingerprint(folder: Path) -> str:
    return ComponentSources(load_catalogue(folder)).fingerprint(PLAIN)


def test_another_version_of_a_library_is_another_answer_from_workers_that_held_the_old(pool: Bench, site: Path, tmp_path: Path) -> None:
    install(site, "Tiny", "1.0", "VALUE = 1\n")
    folder = using(tmp_path / "work", "import tiny_lib", "tiny_lib.VALUE")
    assert answer(pool, folder) == 1
    warm = {slot.worker.process.pid for slot in pool.workers.pool._slots if slot.worker and slot.worker.process}
    assert answer(pool, using(folder, "import tiny_lib", "tiny_lib.VALUE + 1")) == 2
    assert warm >= {slot.worker.process.pid for slot in pool.workers.pool._slots if slot.worker and slot.worker.process}
    install(site, "Tiny", "1.1", "VALUE = 7\n", old="1.0")
    assert answer(pool, folder) == 8


def test_what_a_library_requires_is_part_of_the_key_and_what_it_can_do_without_is_not(site: Path, tmp_path: Path) -> None:
    install(site, "Inner", "1.0")
    install(site, "Spare", "1.0")
    install(site, "Outer", "1.0", "import inner_lib", 'Inner (>=1.0) ; python_version > "3"\nRequires-Dist: spare; extra == "fast"')
    folder = using(tmp_path / "work", "from importlib import import_module\nouter = import_module('outer_lib.part')", "1")
    kept = [fingerprint(folder)]
    for name in ("Spare", "Inner", "Outer"):
        install(site, name, "2.0", old="1.0")
        kept.append(fingerprint(folder))
    assert kept[0] == kept[1]
    assert len({*kept}) == 3


def test_a_module_that_no_installer_brought_is_known_by_its_source(pool: Bench, site: Path, tmp_path: Path) -> None:
    (site / "homemade").mkdir()
    (site / "homemade" / "__init__.py").write_text("from homemade.deeper import VALUE\n")
    for value in (3, 4):
        (site / "homemade" / "deeper.py").write_text(f"VALUE = {value}\n")
        folder = using(tmp_path / "work", "import homemade", "homemade.VALUE")
        assert answer(pool, folder) == value


def test_a_library_of_another_version_is_tried_for_honesty_again(site: Path, tmp_path: Path) -> None:
    install(site, "Tiny", "1.0")
    folder = using(tmp_path / "work", "import tiny_lib", "1")
    catalogue, memory = load_catalogue(folder), HonestyMemory(tmp_path / "honest")
    sources, keys = ComponentSources(catalogue), []
    for version, old in (("", ""), ("2.0", "1.0")):
        if version:
            install(site, "Tiny", version, old=old)
        spec = catalogue.component(PLAIN)
        keys.append(memory.key(spec, {}, sources.fingerprint(PLAIN), hourly()))
    assert keys[0] != keys[1]
    assert None not in keys


def test_what_the_library_imports_is_not_searched_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Looking through all that is installed takes long, and nobody who installed nothing pays for it."""
    monkeypatch.setattr("sptrader_desktop.adapters.component_libraries.packages_distributions", lambda: pytest.fail("searched"))
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert ComponentSources(load_catalogue(workspace(tmp_path))).fingerprint("signals.cross")
