"""What each command does. Heavy imports are inside, after the engine's cache has been chosen."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sptrader_desktop import compose, compose_runs
from sptrader_desktop.cli import (
    components_show,
    components_verify,
    data_download,
    data_import,
    data_inspect,
    data_load,
    emergency,
    export_run,
    live,
    live_trades,
)
from sptrader_desktop.cli.options import recipe_of
from sptrader_desktop.cli.progress import ProgressLine
from sptrader_desktop.compose_candles import recipe_candles
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.runtime.recipe_values import moment
from sptrader_desktop.runtime.whole_files import write_whole
from sptrader_desktop.settings import Settings, load_settings

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result
    from sptrader_desktop.ports import RunReader, StoredRun
    from sptrader_desktop.runtime.recipe import Recipe

DONE, FAILED = 0, 1


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def check(chosen: argparse.Namespace) -> int:
    strategy = compose.check_strategy(chosen.strategy)
    entries, exits = len(strategy.entries), len(strategy.exits.rules)
    print(f"{chosen.strategy}: {strategy.name} {strategy.version} is valid ({entries} entry and {exits} exit rules)")
    return DONE


def backtest(chosen: argparse.Namespace) -> int:
    settings, recipe = load_settings(), recipe_of(chosen)
    out = None if chosen.json in ("", "-") else Path(chosen.json)
    if out and not out.parent.is_dir():
        raise RunError(f"--json {out}: there is no folder {out.parent}, make it first")
    result, document, prepared = _run(recipe, settings)
    if out:
        write_whole(out, document)
    run_id = "" if chosen.no_store else compose.keep(settings, prepared, result, document)
    if chosen.json == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(document)
        return DONE
    print(compose.report_text(result))
    if run_id:
        print(f"\nKept as {run_id}: `sptrader explain {run_id} --at TIME` says why, `sptrader verify {run_id}` runs it again.")
    return DONE


def explain(chosen: argparse.Namespace) -> int:
    settings = load_settings()
    compose.ready_engine(settings, say)
    stored = compose.run_store(settings).load(chosen.run)
    at = moment(chosen.at, "--at")
    if at is None:
        raise RunError("--at is empty: give any time inside the bar, for example 2024-03-01T14:00Z")
    result, document, _ = _run(compose.recipe_of(stored), settings, stored)
    compose_runs.require_same(compose.run_store(settings), stored, result, document)
    symbols = [candles.symbol for candles in result.request.traded]
    if not chosen.symbol and len(symbols) > 1:
        raise RunError(f"{stored.id} trades {', '.join(symbols)}: say which with --symbol")
    print(compose.explanation_text(result, chosen.symbol or symbols[0], at))
    return DONE


def verify(chosen: argparse.Namespace) -> int:
    settings = load_settings()
    if compose_runs.is_bundle(chosen.run):
        with compose_runs.open_bundle(Path(chosen.run), settings) as bundle:
            return _verified(bundle, chosen.run, settings)
    return _verified(compose.run_store(settings), chosen.run, settings)


def _verified(store: "RunReader", asked: str, settings: Settings) -> int:
    compose.ready_engine(settings, say)
    from sptrader_desktop.runtime.stored_runs import verify_run

    found = verify_run(store, asked, lambda stored: _run(compose.recipe_of(stored), settings, stored)[:2])
    for sentence in found.sentences():
        print(sentence, file=sys.stdout if found.is_same else sys.stderr)
    return DONE if found.is_same else FAILED


def components(chosen: argparse.Namespace) -> int:
    return {**components_show.ACTIONS, "verify": components_verify.verify}[chosen.action](chosen)


def runs(_: argparse.Namespace) -> int:
    store = compose.run_store(load_settings())
    kept, fault = store.list(), store.fault()
    if fault:
        print(f"sptrader: {fault}", file=sys.stderr)
    if not kept:
        print("No runs are kept yet: `sptrader backtest FILE --data PATH` keeps one.")
        return DONE
    widest = max(len(run.id) for run in kept)
    for run in kept:
        pnl, traded = f"{run.pnl / 1e8:+,.2f} {run.currency}", f"{' '.join(run.symbols)} {run.timeframe}"
        print(f"{run.id:<{widest}}  {run.saved_at:%Y-%m-%d %H:%M}Z  {traded}  {run.trades:>6,} trades  {pnl:>18}")
    return DONE


def data(chosen: argparse.Namespace) -> int:
    actions = data_import.ACTIONS | data_load.ACTIONS | data_inspect.ACTIONS | data_download.ACTIONS
    return actions[chosen.action](chosen)


def doctor(_: argparse.Namespace) -> int:
    from sptrader_desktop.cli.doctor import examine

    findings = examine(load_settings())
    for finding in findings:
        print(f"{'ok ' if finding.is_well else 'BAD'}  {finding.subject:<12} {finding.text}")
    return DONE if all(finding.is_well for finding in findings) else FAILED


def _run(recipe: "Recipe", settings: Settings, stored: "StoredRun | None" = None) -> "tuple[Result, bytes, compose.Prepared]":
    """Everything that can be refused without the engine is refused before it is loaded. `stored` is a kept run that is made again."""
    overridden = compose.strategy_of(recipe, settings, stored.strategy_text if stored else None)
    compose.ready_engine(settings, say)
    candles = compose_runs.own_bars(stored, recipe_candles(recipe, settings)) if stored else None
    prepared = compose.prepare(recipe, settings, overridden, candles)
    line = ProgressLine()
    try:
        result, document = compose.run_prepared(prepared, line if compose.is_terminal() else None)
    finally:
        line.wipe()
    return result, document, prepared


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "check": check,
    "backtest": backtest,
    "replay": lambda chosen: live.replay(chosen, recipe_of(chosen)),
    "live": live.live,
    "explain": explain,
    "verify": verify,
    "export": export_run.export,
    "data": data,
    "components": components,
    "runs": runs,
    "trades": live_trades.trades,
    **emergency.COMMANDS,
    "doctor": doctor,
}
