"""A workspace as a file: where its panes stand, to be kept or given to somebody else."""

import json
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable
from zlib import crc32

from sptrader_desktop.core.errors import DataError

KIND = "sptrader workspace"
SCHEMA = 1


def written(name: str, state: bytes) -> bytes:
    document = {"kind": KIND, "schema": SCHEMA, "name": name, "state": encoded(state)}
    return (json.dumps(document, indent=1) + "\n").encode()


def read(content: bytes, source: str) -> tuple[str, bytes]:
    """The name of the workspace and how its panes stand; `source` is the file's name, for the sentence."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise DataError(f"{source} holds no workspace: choose a file that “Export This Workspace” wrote")
    if document.get("schema") != SCHEMA:
        raise DataError(f"{source} has schema {document.get('schema')!r}, this version knows {SCHEMA}: update the program to use it")
    name, state = document.get("name"), _bytes(document.get("state"))
    if not isinstance(name, str) or state is None:
        raise DataError(f"{source} is damaged: export the workspace again")
    return name, state


def encoded(state: bytes) -> str:
    """With a sum to check it by: Qt trusts what it is given, and an arrangement of which a few bytes are others can end the program."""
    return f"{b64encode(state).decode()}.{crc32(state):08x}"


def decoded(texts: Iterable[object]) -> list[bytes]:
    """What is not as it was written is as damaged as what is no arrangement."""
    return [b"damaged" if state is None else state for state in map(_bytes, texts)]


def _bytes(text: object) -> bytes | None:
    held, _, checked = text.rpartition(".") if isinstance(text, str) else ("", "", "")
    try:
        state = b64decode(held, validate=True)
    except (NoBase64, ValueError):
        return None
    return state if text == "" or checked == f"{crc32(state):08x}" else None
