"""Which keys mean which command: the table's own, a person's changes to them, and who would be in whose way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from sptrader_desktop.present.actions import Action, Scope

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two commands that hear the same keys at the same time: neither would be done."""

    keys: str
    first: Action
    second: Action

    def sentence(self) -> str:
        where = self.second.scope if self.first.scope is Scope.WINDOW else self.first.scope
        place = "" if where is Scope.WINDOW else f" {heard(where)}"
        return f"{self.keys} means both '{self.first.text}' and '{self.second.text}'{place}; give one of them other keys"


def heard(scope: Scope) -> str:
    return "everywhere" if scope is Scope.WINDOW else f"in the {scope.value}"


def collide(one: Scope, other: Scope) -> bool:
    """The whole window hears its keys while a chart has the focus too; a chart and an editor never have it both."""
    return one is other or Scope.WINDOW in (one, other)


def conflicts(keys: Mapping[Action, Keys]) -> Iterator[Conflict]:
    """`keys` are spelled alike: what is the same to the keyboard is the same text."""
    users: dict[str, list[Action]] = {}
    for action, own in keys.items():
        for one in dict.fromkeys(own):
            users.setdefault(one, []).append(action)
    for shared, actions in users.items():
        for first, second in combinations(actions, 2):
            if collide(first.scope, second.scope):
                yield Conflict(shared, first, second)


def changed(keys: Mapping[str, Keys], own: Mapping[str, Keys], kept: Mapping[str, Keys]) -> dict[str, Keys]:
    """What of `keys` a person has changed. What was kept for commands that this version does not know stays kept."""
    unknown = {name: theirs for name, theirs in kept.items() if name not in own}
    return unknown | {name: chosen for name, chosen in keys.items() if chosen != own[name]}
