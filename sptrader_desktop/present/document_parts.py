"""Some keys of a JSON result without reading the rest: each stands at the beginning of a line of its own."""

import json
from collections.abc import Iterable
from typing import Any


def document_parts(document: bytes, keys: Iterable[str]) -> dict[str, Any]:
    """Keys whose values are on one line; ValueError for a document that was not rendered by this program."""
    wanted = {f'"{key}":'.encode(): key for key in keys}
    found: dict[str, Any] = {}
    for line in document.splitlines():
        head = line[: line.find(b":") + 1]
        if head in wanted and wanted[head] not in found:
            found[wanted[head]] = json.loads(line[len(head) :].rstrip(b","))
    return found
