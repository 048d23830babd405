"""Some keys of a JSON result without reading the rest: each stands at the beginning of a line of its own."""

import json
from collections.abc import Iterable
from typing import Any


def document_parts(document: bytes, keys: Iterable[str]) -> dict[str, Any]:
    """Keys whose values are on one line; ValueError for a document that was not rendered by this program."""
    found: dict[str, Any] = {}
    for key in keys:
        head = f'\n"{key}":'.encode()
        start = document.find(head)
        if start >= 0:
            end = document.find(b"\n", start + 1)
            found[key] = json.loads(document[start + len(head) : end if end >= 0 else None].rstrip(b","))
    return found
