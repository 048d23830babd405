"""`sptrader stop`, `rearm` and `status`: a person's way to the guardian when nothing else answers. They load little and start nothing."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sptrader_desktop.cli.command_parser import command, top_parser
from sptrader_desktop.core.errors import RunError, SptraderError
from sptrader_desktop.guardian import asking
from sptrader_desktop.guardian.latch import read_account
from sptrader_desktop.guardian.lines import Message
from sptrader_desktop.guardian.places import GuardianError, live_places
from sptrader_desktop.settings import load_settings

DONE, FAILED = 0, 1
JOURNAL = "journal.sqlite3"
LOOKED_AT_S, LOOK_S = 0.05, 0.01


def parser() -> argparse.ArgumentParser:
    """Only these three, for when one of them was asked for."""
    top = top_parser("Emergency stop.")
    add_emergency(top.add_subparsers(dest="command", metavar="COMMAND", required=True))
    return top


def add_emergency(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    stop = command(commands, "stop", "emergency stop: no order leaves any more, working orders are cancelled; it holds until you re-arm")
    stop.add_argument("--flatten", action="store_true", help="close all positions too")
    rearm = command(commands, "rearm", "let orders pass again after an emergency stop or a breached limit")
    rearm.add_argument("symbol", metavar="SYMBOL", nargs="?", default="", help="only this one, which the running session has halted")
    rearm.add_argument("--yes", action="store_true", help="do not ask")
    command(commands, "status", "guardian, gate, latch, heartbeats, the steps of a stop, and the live session, as JSON")


def stop(chosen: argparse.Namespace) -> int:
    folder = load_settings().live
    try:
        answer, trouble = asking.stop(folder, flatten=chosen.flatten)
        if answer is None and not trouble:
            _refuse_unflattened(folder, is_asked=chosen.flatten)
            print(f"No guardian runs in {folder}, so nothing is live there. Nothing will start before `sptrader rearm`.")
            return DONE
        if answer is None:
            raise RunError(f"{trouble}; the stop is on disk for whoever starts next, and waits for this one too")
        _print_stop(_looked_at(answer))
    except GuardianError as error:
        raise RunError(str(error)) from None
    if answer["latch"]["unkept"]:
        raise RunError(f"stopped, but not on disk: {answer['latch']['unkept']}; the guardian goes on trying")
    return DONE


def _refuse_unflattened(folder: Path, *, is_asked: bool) -> None:
    """Where a session ended a while ago its positions are still at the broker, and nobody is there who would close them."""
    known = read_account(live_places(folder).account) if is_asked else None
    if known is not None:
        raise RunError(
            f"stopped, and nothing leaves before `sptrader rearm`; but no guardian runs in {folder}, so nothing was cancelled or closed at "
            f"the broker of account {known.name}: start the session there, whose guardian does that first"
        )


def _looked_at(answer: Message) -> Message:
    """What is done in a moment is told as done."""
    folder, until = load_settings().live, time.monotonic() + LOOKED_AT_S
    while time.monotonic() < until and not _is_clear(answer):
        time.sleep(LOOK_S)
        answer = asking.ask(live_places(folder), {"do": "status"}) or answer
    return answer


def _is_clear(answer: Message) -> bool:
    stop = answer["stop"] or {}
    return stop.get("verify", {}).get("state") in {"watching", "done"} or "cancel" not in stop


def _print_stop(answer: Message) -> None:
    stop, latch = answer["stop"], answer["latch"]
    print(f"gate     {answer['gate']['state']}: no order leaves")
    print(f"latch    stopped {latch['at']} by {latch['by']}, until `sptrader rearm`")
    for name in ("cancel", "flatten", "verify"):
        if name in stop:
            told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in stop[name].items() if key not in {"state", "why"})
            print(f"{name:<8} {stop[name]['state']}{': ' if told else ''}{told}")
    print(f"now      {stop['says']}; `sptrader status` shows how it goes on")


def rearm(chosen: argparse.Namespace) -> int:
    """A session that runs is asked, which asks the guardian; what does not run or answer keeps its own halt."""
    folder = load_settings().live
    try:
        found, core = asking.status(folder), asking.core_state(folder)
        latched: dict[str, str] = {} if core is None else core.get("latched", {})
        if chosen.symbol:
            return _rearm_symbol(chosen, core, latched)
        has_looser = core is not None and bool(core.get("limits_wait"))
        lost = [why for why in (found["gate"] or {"why": []})["why"] if why.startswith("heartbeat")]
        if found["latch"] is None and not (lost or latched or has_looser):
            print(f"Nothing is stopped in {folder}.")
            return DONE
        _print_what_is_rearmed(found, lost, latched)
        if has_looser:
            print("Limits in services.yaml that are looser than those in force wait for this.")
        _ask(is_answered=chosen.yes)
        if latched or has_looser:
            return _rearm_by_core("")
        answer = asking.rearm(folder)
    except GuardianError as error:
        raise RunError(str(error)) from None
    if answer and answer["latch"]:
        raise RunError(f"still stopped: {answer['latch']['unkept']}: make the file one that may be removed, and re-arm again")
    print("Re-armed: orders pass from the core's next hello on." if answer else "Re-armed: what starts next may trade.")
    if core is not None and core.get("state") == "silent":
        print(f"{core['says']}: what it halted by itself stays halted.")
    return DONE


def _rearm_symbol(chosen: argparse.Namespace, core: Message | None, latched: dict[str, str]) -> int:
    if core is None:
        raise RunError(f"no session runs in {load_settings().live}, and only a running one re-arms a symbol: start it, then re-arm")
    if core.get("state") == "silent":
        raise RunError(f"{core['says']}: {chosen.symbol} stays as it is")
    if chosen.symbol in latched:
        print(f"{chosen.symbol} is halted: {latched[chosen.symbol]}.")
        _ask(is_answered=chosen.yes, what=f"Let entries in {chosen.symbol} pass again?")
    return _rearm_by_core(chosen.symbol)


def _rearm_by_core(symbol: str) -> int:
    why = asking.command(load_settings().live, "rearm", symbol)
    if why is None:
        raise RunError("the session ended meanwhile: nothing was re-armed; see `sptrader status`")
    if why:
        raise RunError(why)
    print(f"Re-armed: {symbol or 'everything'} may be entered again, and limits count from here.")
    return DONE


def _print_what_is_rearmed(found: Message, lost: list[str], latched: dict[str, str]) -> None:
    if latch := found["latch"]:
        print(f"Stopped {latch['at']} by {latch['by']}{', with all positions to be closed' if latch['flatten'] else ''}.")
    if lost:
        print(f"Shut for a lost {', a lost '.join(lost)}: it is waited for no longer.")
    for scope, why in latched.items():
        print(f"{'The account' if scope == '*' else scope} is halted: {why}.")
    if found["stop"]:
        print(f"At the broker: {found['stop']['says']}.")


def _ask(*, is_answered: bool, what: str = "Let orders pass again?") -> None:
    if is_answered:
        return
    if not sys.stdin or not sys.stdin.isatty():
        raise RunError("re-arming is a person's decision and nobody can be asked here: say --yes")
    if input(f"{what} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise RunError("left as it was")


def status(_: argparse.Namespace) -> int:
    try:
        folder = load_settings().live
        core = asking.core_state(folder)
        is_told = core is not None and core.get("state") != "silent"
        found = asking.status(folder) | {"core": core, "journal": None if is_told else _last_known()}
        print(json.dumps(found, indent=1, sort_keys=True))
    except GuardianError as error:
        raise RunError(str(error)) from None
    return DONE


def _last_known() -> dict[str, object] | None:
    """Where no session says how it is. It takes longer, so only where there is a journal."""
    settings = load_settings()
    if not (settings.live / JOURNAL).exists():
        return None
    from sptrader_desktop import compose, compose_live

    compose.ready_engine(settings, lambda said: print(said, file=sys.stderr))
    try:
        return compose_live.last_known(settings)
    except SptraderError as error:
        return {"says": f"the journal cannot be told from: {error}"}


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"stop": stop, "rearm": rearm, "status": status}
