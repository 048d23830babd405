"""What may be written where the cursor stands in a strategy, and what the word under it means."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from sptrader_desktop.core.components import EVENT_STRENGTH, EVENT_TYPE, Catalogue, ComponentSpec, ParameterSpec
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.core.strategy_fields import Path, Plain, shown
from sptrader_desktop.present.strategy_schema import SECTIONS, TRUTHS, key_at, section_at
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.yaml_place import Place, place_at, word_at

REFERENCE = "parameters."
SIGNAL = re.compile(r"\bsignals\.([A-Za-z_]\w*)")
EVENT_WORDS = {EVENT_TYPE: "The type of the event.", EVENT_STRENGTH: "How strong the event is, a number."}
MOST_NEAR = 5
NOTHING = StrategyText("", None, {}, (), None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` takes the place of the word before the cursor."""

    name: str
    text: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class StrategyWords:
    """`known` is the last reading of the text that was whole: what stands behind the cursor is looked up in it."""

    catalogue: Catalogue | None = None
    known: StrategyText = field(default=NOTHING)

    def candidates(self, text: str, offset: int) -> tuple[int, tuple[Candidate, ...]]:
        """Where the word starts, and what could stand there: what begins with the word first; what is near it where nothing has it."""
        place = place_at(text, offset)
        if place.is_comment:
            return place.start, ()
        word = place.word.lower()
        possible = {each.name: each for each in self._possible(place, text) if each.name != place.word}
        near = [name for name in possible if word in name.lower()] or get_close_matches(word, possible, MOST_NEAR)
        found = {name: possible[name] for name in near}
        return place.start, tuple(sorted(found.values(), key=lambda each: not each.name.lower().startswith(word)))

    def help_at(self, text: str, offset: int) -> str:
        """A sentence or two about the word under the cursor; nothing where there is nothing to say."""
        start, end = word_at(text, offset)
        place, word = place_at(text, end), text[start:end]
        if place.is_comment or not word:
            return ""
        if text[end:].lstrip(" ").startswith(":"):
            return self._key_help((*place.path, word), place, text)
        if word.startswith(REFERENCE):
            value = self.known.value(("parameters", word.removeprefix(REFERENCE)))
            return f"{word} is {shown(value)}" if value is not None else f"{word} names no parameter: add it under 'parameters'"
        spec = self._spec(word) or (self._spec(f"signals.{word}") if place.path[-1:] == ("signal",) else None)
        if spec is not None:
            return component_help(spec)
        key = key_at(place.path)
        return key.help if key else ""

    def _possible(self, place: Place, text: str) -> Iterator[Candidate]:
        if place.is_key:
            yield from self._keys(place, text)
            if not place.is_item:
                return
        yield from self._values(place, text)

    def _keys(self, place: Place, text: str) -> Iterator[Candidate]:
        section = section_at(place.path)
        beside = self.known.value(place.path)
        there = {*beside} - {place.word} if isinstance(beside, dict) else set()
        if section in SECTIONS:
            yield from (Candidate(name, f"{name}: ", key.help) for name, key in SECTIONS[section].items() if name not in there)
        elif "params" in place.path:
            spec = self._used(place)
            if spec is not None:
                yield from (Candidate(name, f"{name}: ", _parameter_help(each)) for name, each in spec.parameters.items())
        elif place.path[-1:] == ("outputs",):
            spec = self._asked(place, text)
            names = {**EVENT_WORDS, **dict.fromkeys(spec.outputs if spec else (), "An output that the signal declares.")}
            yield from (Candidate(name, f"{name}: ", said) for name, said in names.items())

    def _values(self, place: Place, text: str) -> Iterator[Candidate]:
        path = tuple(key for key in place.path if isinstance(key, str))
        match path:
            case ("dependencies", "signals") | ("dependencies", "signals", "use"):
                yield from self._components("signals", self.catalogue.signals if self.catalogue else [])
            case ("dependencies", "indicators"):
                yield from self._components("indicators", self.catalogue.indicators if self.catalogue else [])
            case (*_, "signal"):
                for name in dict.fromkeys(SIGNAL.findall(text)):
                    spec = self._spec(f"signals.{name}")
                    yield Candidate(name, name, component_help(spec) if spec else "")
            case (*_, "params", name):
                yield from self._choices(place, str(name))
            case (*_, "outputs", name):
                yield from self._events(place, text, str(name))
            case _:
                key = key_at(path)
                if key is None:
                    return
                yield from (Candidate(word, word, key.help) for word in key.words)
                if (key.quantity or key.quantities) and not place.is_key:
                    yield from self._parameters()

    def _components(self, kind: str, names: list[str]) -> Iterator[Candidate]:
        for name in names:
            spec = self._spec(name)
            yield Candidate(name, name, component_help(spec) if spec else f"This one of the {kind} is broken.")

    def _choices(self, place: Place, name: str) -> Iterator[Candidate]:
        spec = self._used(place)
        accepts = spec.parameters.get(name) if spec else None
        if accepts is not None:
            words = TRUTHS if accepts.type == "bool" else accepts.choices
            yield from (Candidate(word, word, _parameter_help(accepts)) for word in words)
        yield from self._parameters()

    def _events(self, place: Place, text: str, output: str) -> Iterator[Candidate]:
        spec = self._asked(place, text)
        if output == EVENT_TYPE and spec is not None:
            yield from (Candidate(name, name, f"An event of {spec.name}.") for name in spec.event_types)
        yield from self._parameters()

    def _parameters(self) -> Iterator[Candidate]:
        written: Plain = self.known.value(("parameters",))
        for name, value in written.items() if isinstance(written, dict) else ():
            yield Candidate(f"{REFERENCE}{name}", f"{REFERENCE}{name}", f"{name} is {shown(value)}")

    def _key_help(self, path: Path, place: Place, text: str) -> str:
        key = key_at(path)
        if key is not None:
            return key.help
        name = str(path[-1])
        if "params" in path and (spec := self._used(place)) and name in spec.parameters:
            return f"{name}: {_parameter_help(spec.parameters[name])}"
        if "outputs" in path:
            asked = self._asked(place, text)
            return EVENT_WORDS.get(name) or (f"An output of {asked.name}." if asked and name in asked.outputs else "")
        if path[0] == "parameters":
            return f"A value of your own: {REFERENCE}{name} stands for it anywhere else in the file."
        return ""

    def _used(self, place: Place) -> ComponentSpec | None:
        at = place.path.index("params")
        return self._spec(_beside(place.seen, "use") or _text(self.known.value((*place.path[:at], "use"))))

    def _asked(self, place: Place, text: str) -> ComponentSpec | None:
        at = place.path.index("outputs")
        name = _beside(place.seen, "signal") or _text(self.known.value((*place.path[:at], "signal")))
        return self._spec(f"signals.{name}") if name in SIGNAL.findall(text) else None

    def _spec(self, dotted: str) -> ComponentSpec | None:
        found = self.catalogue.found.get(dotted) if self.catalogue else None
        return found if isinstance(found, ComponentSpec) else None


def component_help(spec: ComponentSpec) -> str:
    parts = [spec.dotted]
    if spec.parameters:
        parts.append("Parameters: " + "; ".join(f"{name}, {_parameter_help(each)}" for name, each in spec.parameters.items()))
    for title, names in (("Events", spec.event_types), ("Outputs", spec.outputs)):
        if names:
            parts.append(f"{title}: {', '.join(names)}")
    return "\n".join(parts)


def _parameter_help(accepts: ParameterSpec) -> str:
    kinds = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false"}
    bounds = [f"from {accepts.low}"] if accepts.low is not None else []
    bounds += [f"to {accepts.high}"] if accepts.high is not None else []
    bounds += [f"one of {', '.join(accepts.choices)}"] if accepts.choices else []
    return " ".join([kinds[accepts.type], *bounds, f"(default {_said(accepts.default)})"])


def _said(value: Scalar) -> str:
    return shown(value)


def _text(value: Plain) -> str:
    return value if isinstance(value, str) else ""


def _beside(seen: tuple[Mapping[str, str], ...], key: str) -> str:
    return next((values[key] for values in reversed(seen) if key in values), "")
