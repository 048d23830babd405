"""README and guide say what is: their commands run, their examples are valid, their tables are complete, the picture is what is printed."""

import argparse
import importlib.util
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from sptrader_desktop import cli, compose
from sptrader_desktop.adapters.candle_repair import FIXES, MECHANICAL
from sptrader_desktop.adapters.component_cache import MOST_BYTES
from sptrader_desktop.adapters.component_catalogue import load_catalogue
from sptrader_desktop.adapters.instrument_files import load_financing, load_instruments
from sptrader_desktop.adapters.yaml_services import parse_services
from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.cli.commands import COMMANDS
from sptrader_desktop.cli.options import parser
from sptrader_desktop.core import strategy_rules
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.records import EXIT_REASONS, VERDICTS
from sptrader_desktop.core.results import Result
from sptrader_desktop.core.signals import RULES
from sptrader_desktop.present.data_findings import KINDS
from sptrader_desktop.present.report import key_figures
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.worker_pool import Limits
from sptrader_desktop.settings import load_settings, shipped
from tests.documents import ARCHITECTURE, GUIDE, PACKAGE, README, ROOT, codes, fences, keys_told, rows, section, text
from tests.live_faults import CHANCES, EVENTS, TO_THE_END

SAMPLE = "workspace/data/EURUSD_1h_2024-01-02_2024-05-31.parquet"
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "docs/guide.md",
    "docs/bar-rules.md",
    "docs/journal.md",
    "docs/simulation.md",
    "workspace/data/README.md",
)


# Every document


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", text(name)):
        path, _, anchor = link.partition("#")
        if re.match(r"https?:", link):
            continue
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


def anchors(document: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_boasts(name: str) -> None:
    boasts = r"production.ready|blazing|lightning|seamless|cutting.edge|enterprise|world.class|state.of.the.art"
    assert re.findall(boasts, text(name), re.IGNORECASE) == []


def test_the_readme_begins_with_a_sentence_a_picture_and_the_two_commands() -> None:
    title, sentence, picture, commands, *_ = README.split("\n\n")
    assert title == "# SPtrader Desktop"
    assert sentence.count("\n") == 0
    assert sentence.endswith(".")
    assert re.fullmatch(r"!\[[^\]]+\]\(docs/images/window\.png\)", picture)
    assert [line.split("#")[0].strip() for line in fences(commands + "\n", "sh")[0].splitlines()] == ["make run", "make test"]


def test_what_the_readme_calls_missing_is_missing() -> None:
    missing = section(README, "What is not there yet")
    assert ("Live means paper" in missing) == ("live" in COMMANDS)
    assert ("No sweep command" in missing) == ("sweep" not in COMMANDS)
    assert "in the program's own process" not in missing


def test_the_picture_is_what_the_program_prints() -> None:
    spec = importlib.util.spec_from_file_location("make_picture", ROOT / "packaging" / "make_picture.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    report = compose.report_text(sample()[0])
    assert text("docs/images/report.svg") == script.picture(report), "run python packaging/make_picture.py"


# Commands


def commands(document: str) -> Iterator[list[str]]:
    for block in fences(document, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            yield shlex.split(line, comments=True)


def subparsers(of: argparse.ArgumentParser | None = None) -> dict[str, argparse.ArgumentParser]:
    found = [action.choices for action in (of or parser())._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0]) if found else {}


def leaves() -> dict[str, argparse.ArgumentParser]:
    """`check`, `components list`: what is called and has no more parts."""
    found: dict[str, argparse.ArgumentParser] = {}
    for name, sub in subparsers().items():
        found |= {f"{name} {part}": leaf for part, leaf in subparsers(sub).items()} or {name: sub}
    return found


def options(of: argparse.ArgumentParser) -> set[str]:
    """Those of its actions too."""
    own = {option for action in of._actions for option in action.option_strings}
    groups = [action.choices for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    return own.union(*(options(inner) for group in groups for inner in group.values()))


def test_every_command_shown_is_understood() -> None:
    shown = [words for name in DOCUMENTS for words in commands(text(name))]
    for words in shown:
        if words[0] == "sptrader":
            parser().parse_args(words[1:])
    assert {words[1] for words in shown if words[0] == "sptrader"} >= COMMANDS.keys() - {"runs"}
    assert {words[0] for words in shown} <= {"sptrader", "make", "source", "cd", "python"}
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    assert {words[1] for words in shown if words[0] == "make"} | set(re.findall(r"`make ([a-z]+)`", README)) <= targets


def test_every_command_on_the_sample_data_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path))
    monkeypatch.chdir(ROOT)
    ran = 0
    for words in (*commands(README), *commands(GUIDE)):
        if words[1:2] == ["data"] or "--source" in words:
            continue  # these ask a vendor, write files or read the catalogue: their own tests give them a server and a folder
        if words[1:2] in (["live"], ["stop"], ["rearm"], ["status"], ["trades"]):
            continue  # test_live_program, test_live_process and test_cli_stop start what they need
        if words[-2:] == ["verify", "all"]:
            continue  # all that ships is tried in test_honesty
        if words[0] == "sptrader" and all((ROOT / word).exists() for word in words if word.endswith((".yaml", ".parquet", ".csv"))):
            assert cli.run(words[1:]) == 0, (words, capsys.readouterr().err)
            ran += 1
    assert ran >= 11
    assert "the same to the byte" in capsys.readouterr().out
    newest = max(path for path in tmp_path.iterdir() if path.is_dir())
    assert {path.name for path in newest.iterdir()} == set(keys_told(ARCHITECTURE, "file"))


def test_the_exit_codes_are_those_of_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SPTRADER_RUNS", str(tmp_path))
    monkeypatch.chdir(ROOT)
    found = [cli.run(["check", "strategies/ma_crossover.yaml"]), cli.run(["explain", "latest", "--at", "2024-01-09"])]
    said = capsys.readouterr().err
    assert said.startswith("sptrader: there is no run latest")
    assert said.count("\n") == 1
    with pytest.raises(SystemExit) as misunderstood:
        cli.run(["explain", "latest"])
    assert [row[0] for row in rows(GUIDE, "code")] == [str(code) for code in (*found, misunderstood.value.code)]


def test_a_component_runs_alone_as_the_guide_shows(tmp_path: Path) -> None:
    (line,) = [line for block in fences(GUIDE, "sh") for line in block.splitlines() if line.startswith("cd ")]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RESULT_PATH": str(tmp_path / "out"),
    }
    subprocess.run(["sh", "-c", line], cwd=ROOT, env=environment, check=True, timeout=60)
    assert (tmp_path / "out").stat().st_size > 2614 * 8


def test_help_and_guide_list_the_same_commands_and_options() -> None:
    told_commands = [" ".join(itertools.takewhile(str.islower, cell.split())) for cell in keys_told(GUIDE, "command")]
    assert told_commands == list(leaves())
    assert list(subparsers()) == list(COMMANDS)
    taken = {option for sub in leaves().values() for option in options(sub)} - {"-h", "--help"}
    of_backtest = {option for action in subparsers()["backtest"]._actions for option in action.option_strings} - {"-h", "--help"}
    told = {word for row in rows(GUIDE, "option") for word in re.findall(r"--[a-z-]+", row[0])}
    assert told == of_backtest
    mentioned = {word for name in DOCUMENTS for word in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text(name))}
    assert taken <= mentioned
    publisher = (ROOT / "workspace" / "core" / "data" / "signal_publisher.py").read_text(encoding="utf-8")
    assert mentioned <= taken | {"--help", "--version", *re.findall(r'add_argument\("(--[a-z-]+)"', publisher)}


def test_the_defaults_of_the_guide_are_those_of_the_program() -> None:
    defaults = {option: action.default for action in subparsers()["backtest"]._actions for option in action.option_strings}
    for option, told, *_ in rows(GUIDE, "option"):
        if re.fullmatch(r"`?[\w]+`?", told) and told not in {"needed", "all", "none"}:
            assert told.strip("`") == defaults[re.findall(r"--[a-z-]+", option)[0]], option


# Strategy files


BASE = {
    "name": "name: example",
    "version": 'version: "1"',
    "dependencies": "dependencies: {signals: [signals.ma_crossover]}",
    "entry": "entry: {when: {signal: ma_crossover}, action: buy, size: 0.5}",
}


def whole_strategy(example: str) -> str:
    """A fragment in the place where the guide says it belongs."""
    if example.startswith("when:"):
        example = "entry:\n  action: buy\n  size: 0.5\n" + textwrap.indent(example, "  ")
    key = example.partition(":")[0]
    return example if key == "name" else "\n".join([*(line for name, line in BASE.items() if name != key), example])


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The shipped one, with the guide's components beside the samples."""
    made = tmp_path / "workspace"
    shutil.copytree(shipped("workspace"), made, ignore=shutil.ignore_patterns("__pycache__"))
    for source in fences(GUIDE, "python"):
        (made / source.splitlines()[0].removeprefix("# ")).write_text(source, encoding="utf-8")
    return made


def test_every_yaml_example_is_valid(tmp_path: Path, workspace: Path) -> None:
    kinds = {"instruments": 0, "financing": 0, "limits": 0, "strategy": 0}
    catalogue = load_catalogue(workspace)
    for example in fences(GUIDE, "yaml"):
        (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
        if example.startswith("instruments:"):
            kind, _ = "instruments", load_instruments(tmp_path / "example.yaml")
        elif example[:6] in CATALOGUE:
            kind, _ = "financing", load_financing(tmp_path / "example.yaml")
        elif example.startswith("risk:\n  account:"):
            kind, _ = "limits", parse_services(example, "example")
        else:
            kind = "strategy"
            parse_strategy(whole_strategy(example), "example", catalogue)
        kinds[kind] += 1
    assert min(kinds.values()) >= 1


def test_the_first_example_uses_every_key() -> None:
    example = YAML(typ="safe", pure=True).load(fences(GUIDE, "yaml")[0])
    assert example.keys() == set(strategy_rules.ROOT_KEYS)
    assert {key for entry in example["entry"] for key in entry} == set(strategy_rules.ENTRY_KEYS)
    assert example["exit"].keys() == set(strategy_rules.EXIT_KEYS)
    assert example["risk"].keys() == set(strategy_rules.RISK_KEYS) - {"max_position_size"}


def test_every_key_and_word_of_a_strategy_is_explained() -> None:
    for heading, head, expected in (
        ("Keys of the file", "key", strategy_rules.ROOT_KEYS),
        ("Entry rules", "key", strategy_rules.ENTRY_KEYS),
        ("Entry rules", "mode", strategy_rules.SIZE_MODES),
        ("Exits", "key", strategy_rules.EXIT_KEYS),
        ("Exits", "level type", strategy_rules.LEVEL_KINDS),
        ("Exits", "action", strategy_rules.EXIT_ACTIONS),
        ("Risk limits", "key", strategy_rules.RISK_KEYS),
    ):
        assert keys_told(section(GUIDE, heading), head) == list(expected), (heading, head)


def test_every_comparison_shown_is_one() -> None:
    shown = keys_told(GUIDE, "written")
    assert len(shown) >= 12
    for comparison in shown:
        parse_strategy(whole_strategy(f"when: {{signal: ma_crossover, outputs: {{x: {comparison}}}}}"), "example")


def test_every_verdict_and_every_reason_is_explained_in_its_order() -> None:
    assert keys_told(GUIDE, "verdict") == list(VERDICTS)
    assert keys_told(GUIDE, "reason") == list(EXIT_REASONS)


def test_the_guides_component_finds_what_it_says_and_its_strategy_trades(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPTRADER_WORKSPACE", str(workspace))
    strategy = workspace / "breakout.yaml"
    strategy.write_text(next(example for example in fences(GUIDE, "yaml") if example.startswith("name: breakout")), encoding="utf-8")
    result, _ = run_sample(strategy)
    events, prices = result.events[0]["breakout"], result.request.traded[0].prices
    assert len(events) > 10
    assert len(result.outcome.trades) > 5
    for bar in events.bar.tolist():
        assert prices.close[bar] > prices.high[bar - 48 : bar].max()


# Results


def run_sample(strategy: Path) -> tuple[Result, bytes]:
    settings, recipe = load_settings(), Recipe(str(strategy), (str(ROOT / SAMPLE),))
    return compose.run_prepared(compose.prepare(recipe, settings, compose.strategy_of(recipe, settings)))


@cache
def sample() -> tuple[Result, Any]:
    result, document = run_sample(ROOT / "strategies" / "ma_crossover.yaml")
    return result, json.loads(document)


def figure_names(figures: Any, prefix: str = "") -> Iterator[str]:
    for name, value in figures.items():
        inner = value[0] if isinstance(value, list) else value
        if isinstance(inner, dict):
            yield from figure_names(inner, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_every_figure_in_the_result_and_in_the_report_is_defined() -> None:
    result, document = sample()
    told = keys_told(GUIDE, "in `metrics`")
    assert len(told) == len(set(told))
    assert set(told) == set(figure_names(document["metrics"]))
    labels = {part.strip() for row in rows(GUIDE, "in `metrics`") for part in (row[1], *row[1].split(", "))}
    printed = [re.split(r"\s{2,}", half.strip())[0] for line in key_figures(result) for half in (line[:46], line[50:])]
    assert len(printed) == 18
    assert [label for label in printed if label not in labels] == []


def test_every_key_of_the_json_result_is_explained() -> None:
    document = sample()[1]
    table = {code: row[1] for row in rows(section(GUIDE, "The JSON result"), "key") for code in codes(row[0])}
    assert table.keys() == document.keys()
    for key in (
        "signals_generated",
        "order_decisions",
        "executed_orders",
        "completed_trades",
        "final_portfolio",
        "equity_band",
        "data_quality",
        "manifest",
    ):
        value = document[key]
        assert set(codes(table[key])) == set(value[0] if isinstance(value, list) else value), key


# Components


def test_the_limits_told_are_those_of_the_pool() -> None:
    limits, told = Limits(), rows(GUIDE, "limit of one job")
    assert told[0][0] == f"{limits.deadline_s:g} s"
    assert told[1][0].startswith(f"{limits.memory / 2**30:g} GiB of memory")
    assert told[2][0].startswith(f"{limits.output / 2**20:g} MiB printed")
    assert f"the first {limits.shown / 2**10:g} KiB are shown" in told[2][1]
    assert f"holds at most {MOST_BYTES / 2**30:g} GiB" in GUIDE


def test_the_variables_told_are_those_that_scripts_hear() -> None:
    scripts = "".join((PACKAGE / "sdk" / name).read_text(encoding="utf-8") for name in ("alone.py", "sources.py"))
    heard = re.findall(r'(?:_needed|_from_json|environ\.get)\("([A-Z_]+)"', scripts)
    assert set(keys_told(GUIDE, "script variable")) == set(heard)


def test_every_rule_of_a_message_is_explained_in_its_order() -> None:
    assert keys_told(GUIDE, "rule of a message") == list(RULES)


# Data and places


def test_every_finding_of_an_inspection_is_explained_in_its_order_with_its_weight() -> None:
    told = {code: row[1] for row in rows(GUIDE, "finding") for code in codes(row[0])}
    assert list(told.items()) == [(kind, about.severity) for kind, about in KINDS.items()]
    fixes = re.search(r"`--fix KIND…`[^:]*: ([^.]+)\.", section(GUIDE, "Mending a file"))
    assert fixes
    assert codes(fixes[1]) == list(FIXES)


def test_what_a_repair_does_unasked_is_what_the_guide_says() -> None:
    unasked = re.search(r"Without `--fix`([^.]+)\.", section(GUIDE, "Mending a file"))
    assert unasked
    assert set(codes(unasked[1])) == set(MECHANICAL)


def test_every_refusal_of_candles_is_quoted_as_it_is_said() -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "adapters").glob("*candle*.py"))
    assert [quote for quote in keys_told(GUIDE, "refused with") if quote not in said] == []


def test_the_faults_told_are_those_of_the_simulated_world() -> None:
    told = [code for row in rows(text("docs/simulation.md"), "fault") for code in codes(row[0])]
    assert sorted(told) == sorted([*EVENTS, *CHANCES, *TO_THE_END])


def test_the_instruments_listed_are_those_built_in() -> None:
    assert re.findall(r"\b[A-Z]{6}\b", "".join(re.findall(r"^> .+\n", GUIDE, re.MULTILINE))) == list(CATALOGUE)


def test_the_places_are_those_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {code: codes(row[2])[0] for row in rows(GUIDE, "variable") for code in codes(row[0])}
    assert told.keys() == set(re.findall(r'"(SPTRADER_\w+)"', (PACKAGE / "settings.py").read_text(encoding="utf-8")))
    for variable in (*told, "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable)
    if sys.platform == "linux":
        settings = load_settings()
        names = "workspace runs candles servers kernels downloads component_cache logs preferences texts live".split()
        assert [str(getattr(settings, name)) for name in names] == [str(Path(place).expanduser()) for place in told.values()]
