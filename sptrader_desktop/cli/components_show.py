"""`sptrader components list` and `run`: what there is, and what one of them answers on candles."""

import argparse
import sys
from pathlib import Path

from sptrader_desktop import compose_candles, compose_components
from sptrader_desktop.compose_data import SOURCES
from sptrader_desktop.core.errors import ComponentError, RunError
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import load_settings

DONE, FAILED = 0, 1


def add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("name", metavar="NAME", help="a component, short or in full")
    origin = run.add_mutually_exclusive_group(required=True)
    origin.add_argument("--data", default="", metavar="PATH", help="a candle file (Parquet or CSV)")
    origin.add_argument("--source", choices=list(SOURCES), default="", help="instead of a file, with --symbol and --timeframe")
    run.add_argument("--symbol", default="", metavar="S", help="of a source, or of a file whose name does not say it")
    run.add_argument("--timeframe", default="", metavar="T", help="for example 1m, 15m, 1h, 4h, 1d")
    run.add_argument("--from", dest="start", default="", metavar="D", help="first bar's open, inclusive")
    run.add_argument("--to", dest="end", default="", metavar="D", help="last bar's open, exclusive")
    run.add_argument("--param", action="append", default=[], metavar="name=value", help="a parameter of the component")
    run.add_argument("--rows", type=int, default=20, metavar="N", help="how many rows to show, counted from the end (20)")
    run.add_argument("--out", default="", metavar="FILE", help="write the whole answer to a file that ends in .csv, .parquet or .arrow")


def list_(_: argparse.Namespace) -> int:
    from sptrader_desktop.present.component_lists import component_lines

    catalogue = compose_components.components(compose_components.ready_workspace(load_settings()))
    for line in component_lines(catalogue):
        print(line)
    return FAILED if any(isinstance(spec, ComponentError) for spec in catalogue.found.values()) else DONE


def run(chosen: argparse.Namespace) -> int:
    from sptrader_desktop.present.component_lists import answer_lines

    if chosen.rows < 0:
        raise RunError(f"--rows {chosen.rows}: give 0 or more")
    out = Path(chosen.out) if chosen.out else None
    settings, recipe = load_settings(), _recipe(chosen)
    ran = compose_components.run_component(settings, chosen.name, chosen.param, lambda: compose_candles.one_series(settings, recipe), out)
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


def _recipe(chosen: argparse.Namespace) -> Recipe:
    return Recipe(
        strategy="",
        data=(chosen.data,) if chosen.data else (),
        symbol="" if chosen.source else chosen.symbol,
        source=chosen.source,
        symbols=(chosen.symbol,) if chosen.source and chosen.symbol else (),
        timeframe=chosen.timeframe,
        start=chosen.start,
        end=chosen.end,
    )


ACTIONS = {"list": list_, "run": run}
