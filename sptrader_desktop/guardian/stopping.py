"""A stop, also where no guardian runs: one is started then, and cancels and perhaps closes what the last session left at its broker."""

import time
from pathlib import Path

from sptrader_desktop.guardian import asking
from sptrader_desktop.guardian.connections import begun
from sptrader_desktop.guardian.latch import Account, read_account
from sptrader_desktop.guardian.launching import ATTEMPTS, PAUSE_S, launch
from sptrader_desktop.guardian.lines import Message
from sptrader_desktop.guardian.places import GuardianError, Places, address_of, live_places

PATIENCE_S = LOOKED_AT_S = 5.0


def stop(folder: Path, *, flatten: bool, by: str = "") -> Message | None:
    """What a guardian answers, also one that was started for it; nothing where nothing was ever traded. GuardianError where the broker was
    not asked: the stop is on disk all the same."""
    answer = asking.stop(folder, flatten=flatten, by=by)
    return _by_new_guardian(folder, flatten=flatten, by=by) if answer is None else answer


def nothing_live(folder: Path) -> str:
    return f"No guardian runs in {folder} and nothing was ever traded there, so nothing is live. Nothing will start before a re-arm."


def _by_new_guardian(folder: Path, *, flatten: bool, by: str) -> Message | None:
    places = live_places(folder)
    known = read_account(places.account)
    if known is None:
        return None
    undone = f"stopped, and nothing leaves before a re-arm; but nothing was cancelled or closed at the broker of account {known.name}"
    try:
        _be_there(places, known)
        answer = _started(places, known.broker, {"do": "stop", "flatten": flatten, "by": by or asking.who()})
    except GuardianError as error:
        raise GuardianError(f"{undone}: {error}") from None
    answer = asking.looked_at(places, answer, LOOKED_AT_S)
    if not answer["broker"]["connected"]:
        why = answer["broker"]["why"] or f"it does not answer at {known.broker}"
        raise GuardianError(f"{undone} yet: {why}; the guardian goes on trying, as `sptrader status` shows")
    return answer


def _be_there(places: Places, known: Account) -> None:
    """Without a broker none is started: a session that comes later may have it elsewhere, and starts its own."""
    found = begun(*address_of(known.broker)) if known.broker else None
    if found is None:
        where = f"nobody answers at {known.broker}" if known.broker else "where it is was not kept"
        raise GuardianError(f"{where}: start the session in {places.folder}, whose guardian does that first")
    found[0].close()


def _started(places: Places, broker: str, message: Message) -> Message:
    for _ in range(ATTEMPTS):
        launch(places, broker)
        if (answer := asking.ask(places, message, PATIENCE_S)) is not None:
            return answer
        time.sleep(PAUSE_S)
    raise GuardianError(f"no guardian can be reached in {places.folder}: see {places.log}")
