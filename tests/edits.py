"""Bad edits of a good text and all that is said of each, kept as text so that they read as what a person would write and see."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def edited(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def bad_edits(name: str) -> list[tuple[str, str, list[str]]]:
    """Blocks of `-` what goes, `+` what comes in its place, and what is then said; without `+` whole lines go."""
    edits = []
    for block in (FOLDER / name).read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.splitlines()
        old, new = ("\n".join(line[2:] for line in lines if line[:2] == sign) for sign in ("- ", "+ "))
        edits.append((old if new else old + "\n", new, [line for line in lines if line[:2] not in {"- ", "+ "}]))
    return edits


def ids(edits: list[tuple[str, str, list[str]]]) -> list[str]:
    return [new.strip() or f"no {old.strip()}" for old, new, _ in edits]
