"""`sptrader components verify`: what was tried on a component and what was found, one line for each check."""

import argparse
import sys
from typing import TYPE_CHECKING

from sptrader_desktop import compose_components
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.settings import load_settings

if TYPE_CHECKING:
    from sptrader_desktop.runtime.honesty_judge import Verdict

DONE, FAILED = 0, 1
MARKS = {True: "ok ", False: "BAD", None: "-  "}


def add_verify(verify: argparse.ArgumentParser) -> None:
    verify.add_argument("name", metavar="NAME", help="a component, short or in full, or 'all'")
    verify.add_argument("--data", nargs="+", action="extend", default=[], metavar="PATH", help="candle files; the sample unless given")
    verify.add_argument("--param", action="append", default=[], metavar="name=value", help="a parameter of the component")


def verify(chosen: argparse.Namespace) -> int:
    dishonest = 0
    for title, verdict in compose_components.verify_components(load_settings(), chosen.name, chosen.param, chosen.data):
        is_honest = not isinstance(verdict, ComponentError) and verdict.is_honest
        print(
            f"{title}\n  BAD  {verdict}" if isinstance(verdict, ComponentError) else f"{title}, {verdict.coverage}\n{lines(verdict)}",
            flush=True,
        )
        dishonest += not is_honest
    if dishonest:
        print(f"sptrader: {dishonest} component{'s' if dishonest > 1 else ''} cannot be traded on", file=sys.stderr)
    return FAILED if dishonest else DONE


def lines(verdict: "Verdict") -> str:
    sentences = iter(verdict.sentences())
    return "\n".join(
        f"  {MARKS[finding.is_honest]}  {finding.check:<17}  {next(sentences) if finding.is_honest is False else finding.text}"
        for finding in verdict.findings
    )
