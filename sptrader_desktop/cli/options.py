"""The command line as design names it: what each command takes, in words a trader can read."""

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sptrader_desktop import __version__
from sptrader_desktop.cli.command_parser import command, top_parser
from sptrader_desktop.cli.components_show import add_run
from sptrader_desktop.cli.components_verify import add_verify
from sptrader_desktop.cli.data_download import add_download, add_resample, add_sample
from sptrader_desktop.cli.data_import import add_import
from sptrader_desktop.cli.data_inspect import add_inspect, add_repair
from sptrader_desktop.cli.data_load import add_load
from sptrader_desktop.cli.emergency import add_emergency
from sptrader_desktop.cli.export_run import add_export
from sptrader_desktop.cli.live import add_live
from sptrader_desktop.cli.live_trades import add_trades
from sptrader_desktop.compose_data import SOURCES
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import absolute_path


@cache
def parser() -> argparse.ArgumentParser:
    top = top_parser("The strategy you test is the strategy you trade.")
    top.add_argument("--version", action="version", version=f"sptrader {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    check = command(commands, "check", "validate a strategy file: every problem at once, with line and column")
    check.add_argument("strategy", metavar="FILE", type=Path)
    _backtest(command(commands, "backtest", "run a strategy over candles"))
    _backtest(command(commands, "replay", "the same candles through the live path, bar by bar, with the paper broker"))
    add_live(command(commands, "live", "trade a strategy on live prices and signals, with the paper broker"))
    explain = command(commands, "explain", "why a bar did what it did, or did not")
    explain.add_argument("run", metavar="RUN", help="a stored run, or 'latest'")
    explain.add_argument("--at", required=True, metavar="TIME", help="any time inside the bar, UTC unless it says otherwise")
    explain.add_argument("--symbol", default="", metavar="S", help="needed when the run trades several symbols")
    verify = command(commands, "verify", "run a stored run again and compare it byte for byte")
    verify.add_argument("run", metavar="RUN", help="a stored run, 'latest', or a bundle (….sptrun)")
    add_export(command(commands, "export", "write a stored run as a page, as a table of trades, or as a bundle for others"))
    _data(command(commands, "data", "candles: bring them in, look into them, mend, fetch and make them"))
    _components(command(commands, "components", "look after your indicators and signals"))
    command(commands, "runs", "list the stored runs")
    add_trades(command(commands, "trades", "what the live account has traded since it began"))
    add_emergency(commands)
    command(commands, "doctor", "look for what would keep the program from working")
    return top


def _data(data: argparse.ArgumentParser) -> None:
    actions = data.add_subparsers(dest="action", metavar="ACTION", required=True)
    add_import(command(actions, "import", "vendors' CSV files into the catalogue, or into Parquet files"))
    command(actions, "list", "what the catalogue holds")
    add_load(command(actions, "load", "put candle files into PostgreSQL"))
    add_inspect(command(actions, "inspect", "everything that is doubtful about candle files, and a verdict"))
    add_repair(command(actions, "repair", "write a mended copy of a candle file and a ledger of every change"))
    add_download(command(actions, "download", "fetch free history from a vendor, under the vendor's terms; goes on where it was stopped"))
    add_resample(command(actions, "resample", "make longer candles from a file of shorter ones, or candles from ticks"))
    add_sample(command(actions, "sample", "make synthetic candles; they are not market data"))


def _components(components: argparse.ArgumentParser) -> None:
    actions = components.add_subparsers(dest="action", metavar="ACTION", required=True)
    command(actions, "list", "list indicators and signals with their parameters and outputs, and what is wrong with broken ones")
    add_run(command(actions, "run", "run one component on candles and show what it answers and what it printed"))
    about = "try whether components look ahead, need a longer warm-up than they declare, or give one answer today and another tomorrow"
    add_verify(command(actions, "verify", about))


def _backtest(backtest: argparse.ArgumentParser) -> None:
    backtest.add_argument("strategy", metavar="FILE", type=Path)
    data = backtest.add_argument_group("candles")
    many: dict[str, Any] = {"nargs": "+", "action": "extend", "metavar": "PATH"}
    origin = data.add_mutually_exclusive_group(required=True)
    origin.add_argument("--data", **many, default=[], help="candle files (Parquet or CSV); several make a portfolio")
    origin.add_argument("--source", choices=list(SOURCES), default="", help="instead of files, with --symbol and --timeframe")
    symbol_help = "of a file that is not named <SYMBOL>_<timeframe>_…; of a source one or several"
    data.add_argument("--symbol", nargs="+", default=[], metavar="S", help=symbol_help)
    data.add_argument("--timeframe", default="", metavar="T", help="for example 1m, 15m, 1h, 4h, 1d")
    data.add_argument("--resample", default="", metavar="T", help="run on longer candles made of these; these settle what is inside them")
    data.add_argument("--from", dest="start", default="", metavar="D", help="first bar's open, inclusive")
    data.add_argument("--to", dest="end", default="", metavar="D", help="last bar's open, exclusive")
    data.add_argument("--ask", **many, default=[], help="real ask candles to the bid candles of --data")
    data.add_argument("--finer", **many, default=[], help="finer candles that settle what is inside a bar, before those of --resample")
    data.add_argument("--finer-ask", **many, default=[], help="real ask candles to those of --finer")
    data.add_argument("--rates", **many, default=[], help="candles of pairs that convert to the account currency")
    data.add_argument("--instruments", default="", metavar="FILE", help="your own instruments")
    account = backtest.add_argument_group("account and costs")
    account.add_argument("--capital", default="10000", metavar="AMOUNT")
    account.add_argument("--currency", default="USD", metavar="CUR")
    account.add_argument("--leverage", default="30", metavar="N")
    account.add_argument("--spread", default="0", metavar="PIPS", help="fixed, where the candles do not carry both sides")
    account.add_argument("--slippage", default="0", metavar="PIPS", help="worsens market and stop fills")
    account.add_argument("--commission", default="", metavar="C", help="per fill, for example 3.5/lot or 0.002%% or 3.5/lot,min=1")
    account.add_argument("--financing", default="", metavar="FILE", help="annual long and short rates by symbol")
    rules = backtest.add_argument_group("rules")
    rules.add_argument("--fill", choices=["next_open", "close"], default="next_open")
    rules.add_argument("--intrabar", choices=["stop_first", "target_first"], default="stop_first")
    rules.add_argument("--param", action="append", default=[], metavar="name=value", help="replace a parameter of the strategy")
    output = backtest.add_argument_group("result")
    output.add_argument("--json", default="", metavar="OUT", help="write the result as JSON to a file, or - for standard output")
    output.add_argument("--no-store", action="store_true", help="do not keep the run")


def recipe_of(chosen: argparse.Namespace) -> Recipe:
    return Recipe(
        strategy=_absolute(chosen.strategy),
        data=_all_absolute(chosen.data),
        symbol=" ".join(chosen.symbol) if chosen.data else "",
        source=chosen.source,
        symbols=() if chosen.data else tuple(chosen.symbol),
        timeframe=chosen.timeframe,
        resample=chosen.resample,
        start=chosen.start,
        end=chosen.end,
        ask=_all_absolute(chosen.ask),
        finer=_all_absolute(chosen.finer),
        finer_ask=_all_absolute(chosen.finer_ask),
        rates=_all_absolute(chosen.rates),
        instruments=_absolute(chosen.instruments),
        financing=_absolute(chosen.financing),
        params=tuple(chosen.param),
        capital=chosen.capital,
        currency=chosen.currency,
        fill=chosen.fill,
        intrabar=chosen.intrabar,
        spread=chosen.spread,
        slippage=chosen.slippage,
        commission=chosen.commission,
        leverage=chosen.leverage,
    )


def _absolute(path: str | Path) -> str:
    return str(absolute_path(path)) if str(path) else ""


def _all_absolute(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(_absolute(path) for path in paths)
