"""`sptrader components list` and `run`: what there is, and what one of them answers on candles."""

import argparse
import sys
from pathlib import Path

from sptrader_desktop import compose
from sptrader_desktop.core.errors import ComponentError, RunError
from sptrader_desktop.settings import load_settings

DONE, FAILED = 0, 1


def add_list(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", epilog: str) -> None:
    _action(actions, "list", "list indicators and signals with their parameters and outputs, and what is wrong with broken ones", epilog)


def add_run(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", epilog: str) -> None:
    run = _action(actions, "run", "run one component on candles and show what it answers and what it printed", epilog)
    run.add_argument("name", metavar="NAME", help="a component, short or in full")
    run.add_argument("--data", required=True, metavar="PATH", help="a candle file (Parquet or CSV)")
    run.add_argument("--param", action="append", default=[], metavar="name=value", help="a parameter of the component")
    run.add_argument("--rows", type=int, default=20, metavar="N", help="how many rows to show, counted from the end (20)")
    run.add_argument("--out", default="", metavar="FILE", help="write the whole answer to a file that ends in .csv, .parquet or .arrow")


def _action(actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str, epilog: str) -> argparse.ArgumentParser:
    return actions.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".", epilog=epilog, allow_abbrev=False)


def list_(_: argparse.Namespace) -> int:
    from sptrader_desktop.present.component_lists import component_lines

    catalogue = compose.components(compose.ready_workspace(load_settings()))
    for line in component_lines(catalogue):
        print(line)
    return FAILED if any(isinstance(spec, ComponentError) for spec in catalogue.found.values()) else DONE


def run(chosen: argparse.Namespace) -> int:
    from sptrader_desktop.present.component_lists import answer_lines

    if chosen.rows < 0:
        raise RunError(f"--rows {chosen.rows}: give 0 or more")
    ran = compose.run_component(load_settings(), chosen.name, chosen.param, Path(chosen.data), Path(chosen.out) if chosen.out else None)
    for text, stream in ((ran.answer.stdout, sys.stdout), (ran.answer.stderr, sys.stderr)):
        if text:
            print(text, end="" if text.endswith("\n") else "\n", file=stream, flush=True)
    if isinstance(ran.answer.result, ComponentError):
        raise ran.answer.result
    for line in answer_lines(ran.spec, ran.candles, ran.answer.result, chosen.rows):
        print(line)
    if chosen.out:
        print(f"Written to {chosen.out}.")
    return DONE
