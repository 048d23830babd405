"""What went into a run, from its manifest, as names and texts that a person can compare."""

from collections.abc import Iterator, Mapping
from typing import Any

from sptrader_desktop.present.numbers import grouped

SHORT = 12  # letters of a fingerprint that people compare
SERIES = {"data": "candles", "rates": "rates", "finer": "finer candles"}
Line = tuple[str, str]


def inputs_of(manifest: Mapping[str, Any]) -> list[Line]:
    """Each name once: strategy, parameters, terms, candles, components, engine, versions."""
    strategy, engine = manifest["strategy"], manifest["engine"]
    return [
        ("strategy", f"{strategy['name']} {strategy['version']}"),
        ("strategy text", _short(strategy["sha256"])),
        *((f"parameter {name}", _said(value)) for name, value in manifest["parameters"].items()),
        *_leaves("terms", _with_units(manifest["terms"])),
        *_leaves("instrument", manifest["instruments"]),
        *(line for kind, what in SERIES.items() for item in manifest[kind] for line in _series(what, item)),
        *(line for name, item in manifest["components"].items() for line in _component(name, item)),
        ("engine", f"{engine['version']} {_short(engine['sha256'])}"),
        *((f"version of {name}", str(value)) for name, value in manifest["versions"].items()),
    ]


def _with_units(terms: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**terms, "capital": f"{grouped(terms['capital'])} {terms['currency']}", "leverage": f"{terms['leverage']} : 1"}


def _series(what: str, item: Mapping[str, Any]) -> Iterator[Line]:
    name = f"{what} {item['symbol']}"
    yield f"{name} timeframe", str(item["timeframe"])
    yield f"{name} bars", f"{item['rows']:,}"
    yield f"{name} range", f"{item['first']} to {item['last']}" if item["first"] else "no bars"
    yield f"{name} file", str(item["file"])
    yield f"{name} fingerprint", _short(item["fingerprint"])


def _component(name: str, item: Mapping[str, Any]) -> Iterator[Line]:
    yield f"component {name} source", _short(item["sha256"])
    for parameter, value in item["params"].items():
        yield f"component {name} {parameter}", _said(value)


def _leaves(name: str, value: Any) -> Iterator[Line]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{name} {key.replace('_', ' ')}", inner)
    else:
        yield name, _said(value)


def _said(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _short(fingerprint: Any) -> str:
    return str(fingerprint)[:SHORT]
