"""`python -m benchmarks [--only SUBJECT …] [--peers NAME …]`: one table a subject. Chooses the compile cache before numba is imported."""

import argparse
import json
import os
import time
from importlib import import_module

from benchmarks.report import TURNS, Options, duration, machine, pace, print_table, stolen
from sptrader_desktop.runtime.kernel_cache import use_kernel_cache
from sptrader_desktop.settings import load_settings

SUBJECTS = (
    "kernel",
    "hourly",
    "single",
    "sweeps",
    "growth",
    "pool",
    "stores",
    "startup",
    "window",
    "charts",
    "equity",
    "tables",
    "memory",
    "stop",
    "live",
)
COMPARED = {"single", "sweeps"}
PEERS = ("vectorbt", "backtesting", "nautilus")


def main() -> None:
    asked = arguments()
    use_kernel_cache(load_settings().kernels)
    if asked.child:
        print(json.dumps(import_module(f"benchmarks.{asked.child[0]}").child(asked.child[1:])))
        return
    options = Options(asked.runs, tuple(asked.peers), asked.all_peers, asked.minutes)
    print(machine())
    print(f"ours: median of {options.runs} runs after one that is not counted")
    if COMPARED & set(asked.only):
        print(peers_note(options))
    for subject in asked.only:
        module = import_module(f"benchmarks.{subject}")
        before, lost, began = pace(), stolen(), time.monotonic()
        print_table(module.TITLE, module.lines(options))
        share = (stolen() - lost) / (time.monotonic() - began) / (os.cpu_count() or 1)
        words = f"{duration(before)} before it, {duration(pace())} after it; its host gave others {share:.0%} of its processors meanwhile"
        print(f"this computer's own pace, {TURNS:,} turns of an empty loop: {words}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure and print; nothing fails for being slow.")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS), metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=[], metavar="PEER", help=f"only these of {', '.join(PEERS)}")
    parser.add_argument("--all-peers", action="store_true", help="all of them on the sweeps too, which takes many minutes")
    parser.add_argument("--runs", type=int, default=5, help="runs of ours per measurement (5); 19 make more than 200 emergency stops")
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="of the live session at 10,000 signals a minute (1; 10 is what it must bear)"
    )
    parser.add_argument("--child", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error(f"--runs {asked.runs}: at least 1")
    if asked.minutes <= 0:
        parser.error(f"--minutes {asked.minutes:g}: above 0")
    return asked


def peers_note(options: Options) -> str:
    peers = import_module("benchmarks.peers")
    reason: str | None = peers.missing()
    if reason:
        return reason
    chosen = "; ".join(f"{workload}: {', '.join(peers.chosen(workload, options))}" for workload in peers.USUAL)
    more = "" if options.all_peers or options.peers else " (--all-peers runs all of them on the sweeps too)"
    turns = "our crossover turns round at every cross and so trades twice as often as vectorbt's"
    return f"peers in the same run, ratio to the fastest: {chosen}{more}\n{turns}"


if __name__ == "__main__":
    main()
