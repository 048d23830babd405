"""`sptrader live` and `sptrader replay`: a strategy on live prices with the paper broker, and on kept candles through the same path."""

import argparse
import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from sptrader_desktop import compose
from sptrader_desktop.cli.progress import ProgressLine
from sptrader_desktop.compose_data import SOURCES
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.guardian.precedence import TRADES, ask_for_precedence, settle
from sptrader_desktop.runtime.heap import keep_one_heap
from sptrader_desktop.runtime.loop_thread import sharing_threads
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.whole_files import write_whole
from sptrader_desktop.settings import load_settings

DONE = 0
END_S = 10.0


def add_live(live: argparse.ArgumentParser) -> None:
    live.add_argument("strategies", metavar="FILE", type=Path, nargs="+")
    live.add_argument("--broker", choices=["paper"], default="paper")
    live.add_argument(
        "--symbols", nargs="+", default=[], metavar="S", help="what is traded; prices come through prices:live; else REALTIME_SYMBOL"
    )
    live.add_argument(
        "--timeframe", default="", metavar="T", help="of the candles that are built from prices: 1m, 15m, 1h …; else REALTIME_TIMEFRAME"
    )
    live.add_argument("--rates", nargs="+", default=[], metavar="S", help="pairs that only convert to the account currency")
    live.add_argument("--signals", choices=["own", "stream"], default="own", help="calculated here, or only from signals:live")
    live.add_argument("--source", choices=list(SOURCES), default="", help="of the candles from before the start, and of gaps")
    live.add_argument("--instruments", default="", metavar="FILE", help="your own instruments")
    money: dict[str, str] = {"capital": "10000", "currency": "USD", "leverage": "30", "spread": "0", "slippage": "0", "commission": ""}
    for name, default in money.items():
        live.add_argument(f"--{name}", default=default)
    live.add_argument("--param", action="append", default=[], metavar="name=value", help="replace a parameter of the strategy")
    live.add_argument(
        "--core-stops", action="store_true", help="the paper broker holds no stops or targets: this program watches them on every price"
    )
    live.add_argument("--headless", action="store_true", help="without a window: until it is interrupted")
    live.add_argument(
        "--verify", action="store_true", help="trade nothing: apply all of the account's journal, compare its snapshots, and end"
    )


def live(chosen: argparse.Namespace) -> int:
    from sptrader_desktop.compose_live import LiveAsked, verified

    if len(chosen.strategies) > 1:
        raise RunError("one account trades one strategy: start the others with another SPTRADER_LIVE and another Redis each")
    if not (chosen.headless or chosen.verify):
        raise RunError("a live session has no window of its own: add --headless, and see it on the window's Live page")
    symbols, timeframe = _what_is_traded(chosen)
    keep_one_heap()
    settings = load_settings()
    compose.ready_engine(settings, _say)
    recipe = Recipe(
        strategy=str(chosen.strategies[0].resolve()),
        instruments=str(Path(chosen.instruments).resolve()) if chosen.instruments else "",
        params=tuple(chosen.param),
        capital=chosen.capital,
        currency=chosen.currency,
        spread=chosen.spread,
        slippage=chosen.slippage,
        commission=chosen.commission,
        leverage=chosen.leverage,
    )
    own = chosen.signals == "own"
    asked = LiveAsked(recipe, symbols, timeframe, tuple(chosen.rates), own, chosen.source, holds_stops=not chosen.core_stops)
    if chosen.verify:
        print(verified(settings, asked))
    else:
        asyncio.run(_until_interrupted(settings, asked))
    return DONE


def _what_is_traded(chosen: argparse.Namespace) -> tuple[tuple[str, ...], str]:
    """What is not said is what scripts that publish signals are told by the same variables."""
    symbols = tuple(chosen.symbols or os.environ.get("REALTIME_SYMBOL", "").split())
    timeframe = chosen.timeframe or os.environ.get("REALTIME_TIMEFRAME", "").strip()
    if not symbols:
        raise RunError("it is not said what to trade: give --symbols, such as --symbols EURUSD, or set REALTIME_SYMBOL")
    if not timeframe:
        raise RunError("it is not said on which candles: give --timeframe, such as --timeframe 1m, or set REALTIME_TIMEFRAME")
    return symbols, timeframe


async def _until_interrupted(settings: Any, asked: Any) -> None:
    from sptrader_desktop.compose_live import open_live

    async with open_live(settings, asked, _say) as core:
        settle()
        ask_for_precedence(TRADES)
        asyncio.get_running_loop().set_default_executor(sharing_threads())
        running = asyncio.create_task(core.run())
        telling = asyncio.ensure_future(_tell_when_live(core, asked))
        for name in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows
                asyncio.get_running_loop().add_signal_handler(name, _end, running)
        with suppress(asyncio.CancelledError):
            await running
        telling.cancel()
    _say("ended; what is open stays at the broker, with its stops")


def _end(running: "asyncio.Task[None]") -> None:
    """Everything that matters is on disk already: what does not end in time is named and left. Told again it ends no sooner."""
    if running.cancelling():
        return
    tasks = [task for task in asyncio.all_tasks() if task is not running]
    late = threading.Timer(END_S, _give_up, [tasks])
    late.daemon = True
    late.start()
    running.cancel()


def _give_up(tasks: "list[asyncio.Task[Any]]") -> None:
    left = sorted({getattr(task.get_coro(), "__qualname__", "?") for task in tasks if not task.done()})
    _say(f"ended after {END_S:g} s without waiting for: {', '.join(left) or 'threads'}; what is open stays at the broker, with its stops")
    os._exit(1)


async def _tell_when_live(core: Any, asked: Any) -> None:
    await core.is_live.wait()
    _say(f"live on paper: {', '.join(asked.symbols)} {asked.timeframe}; Ctrl+C ends it, positions stay")


def replay(chosen: argparse.Namespace, recipe: Recipe) -> int:
    settings = load_settings()
    compose.ready_engine(settings, _say)  # before anything that imports numba
    from sptrader_desktop.present.result_json import render, result_document
    from sptrader_desktop.runtime.live.replay import replay as replayed

    prepared = compose.prepare(recipe, settings, compose.strategy_of(recipe, settings))
    prepared.gate.require(prepared.request.strategy, prepared.request.traded)
    line = ProgressLine()
    try:
        result = replayed(prepared.request, prepared.runner, line if compose.is_terminal() else None)
    finally:
        line.wipe()
    if chosen.json:
        document = render(result_document(result, compose.manifest_of(prepared)))
        if chosen.json == "-":
            sys.stdout.buffer.write(document)
            return DONE
        write_whole(Path(chosen.json), document)
    print(compose.report_text(result))
    return DONE


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
