"""Reading our own documents: sections, tables, fenced examples and what is written in code."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "sptrader_desktop"


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


README, GUIDE, ARCHITECTURE = text("README.md"), text("docs/guide.md"), text("ARCHITECTURE.md")


def fences(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


def section(document: str, heading: str) -> str:
    """From a heading to the next of any level; several tables may follow each other in it."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", document, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def rows(document: str, head: str) -> list[list[str]]:
    """The cells of the table whose first heading is `head`."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", document, re.MULTILINE)
    assert found, head
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found[1].splitlines()]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def keys_told(document: str, head: str) -> list[str]:
    return [code for row in rows(document, head) for code in codes(row[0])]
