"""A vendor's text file as a table of texts: its encoding, its delimiter, its header if it has one; every row keeps its line number."""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.core.errors import DataError

MAX_BYTES = 2 << 30
_DELIMITERS = "\t;|,"  # a comma last: it may be a decimal mark between any of the others
_LEAST_COLUMNS = 3
_SAMPLE_LINES = 50
_LINE = re.compile(r"\r\n|\n|\r")
# So much of a file is worked on at once: more would hold up every thread that waits for Python, the window's among them.
_PIECE = 1 << 18
_AFTER = "\x1a \t\r\n"  # old DOS programs end a file with a control character


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """`columns` hold trimmed texts; `names` is empty without a header; `lines` are those of the whole file."""

    source: str
    delimiter: str
    names: tuple[str, ...]
    columns: tuple[Any, ...]
    lines: "Lines"

    @property
    def rows(self) -> int:
        return len(self.columns[0])

    def title(self, column: int) -> str:
        return f"'{printable(self.names[column])}'" if self.names else f"column {column + 1}"

    def refusal(self, row: int, column: int, rule: str, value: str | None = None) -> DataError:
        shown = printable(self.columns[column][row].as_py() if value is None else value)
        return DataError(f"{self.source}: line {self.lines.of(row)}: {self.title(column)} '{shown}' {rule}")


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    text: str
    skipped: int

    def of(self, row: int) -> int:
        """The line of the row: only needed for a sentence, so it is counted then."""
        filled = (number for number, line in enumerate(_every_line(self.text), 1) if number > self.skipped and line)
        return next((number for at, number in enumerate(filled) if at == row), 0)


def read_table(path: Path, is_header: Callable[[Sequence[str]], bool]) -> Table:
    source = str(path)
    text = file_text(source, path)
    sample, skipped = _beginning(text)
    if not sample:
        raise DataError(f"{source}: it is empty: export it again")
    delimiter = _delimiter(source, sample)
    head = tuple(cell.strip() for cell in _cells(sample[0], delimiter))
    has_header = is_header(head)
    lines = Lines(text, skipped + 1 if has_header else skipped)
    columns = _columns(source, lines, delimiter)
    names = head if has_header else ()
    if names and len(names) == len(columns) + 1 and not names[-1]:
        names = names[:-1]
    if not names or len(names) == len(columns):
        return Table(source, delimiter, names, columns, lines)
    raise DataError(f"{source}: line {lines.of(0)}: it has {len(columns)} cells under {len(names)} column names: mend the header")


def file_text(source: str, path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{source}: it is larger than {MAX_BYTES >> 30} GiB: split it, and import the parts")
        if not path.is_file():
            raise DataError(f"{source}: it is no file but a folder, a pipe or a device: give the file itself")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{source}: it cannot be read ({error.strerror or error}): check the path") from None
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = _decoded(content, encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise DataError(f"{source}: it is not whole UTF-16 text ({error.reason}): export it again") from None
        text = _decoded(content, "latin-1")  # words in any old encoding: only numbers and known names are believed
    if "\0" in text:
        raise DataError(f"{source}: it holds bytes that are no text: export it again as CSV in UTF-8")
    return text


def _decoded(content: bytes, encoding: str) -> str:
    """Without what is empty at its end."""
    decoder = codecs.getincrementaldecoder(encoding)()
    parts = [decoder.decode(content[at : at + _PIECE]) for at in range(0, len(content), _PIECE)]
    parts.append(decoder.decode(b"", final=True))
    while parts and not parts[-1].strip(_AFTER):
        parts.pop()
    return "".join([*parts[:-1], *(part.rstrip(_AFTER) for part in parts[-1:])])


def _beginning(text: str) -> tuple[list[str], int]:
    """The first filled lines and how many lines come before them; a spreadsheet's `sep=;` is none of them."""
    found: list[str] = []
    skipped = 0
    for number, match in enumerate(_first_lines(text), 1):
        if not match:
            continue
        if not found and re.fullmatch(r"sep=.", match):
            continue
        if not found:
            skipped = number - 1
        found.append(match)
    return found, skipped


def _first_lines(text: str) -> list[str]:
    return _LINE.split(text[: 400 * _SAMPLE_LINES], _SAMPLE_LINES)[:_SAMPLE_LINES]


def _delimiter(source: str, sample: Sequence[str]) -> str:
    whole = sample[:-1] if len(sample) > 2 else sample  # the last line of the sample may be cut
    for delimiter in _DELIMITERS:
        counts = {len(_cells(line, delimiter)) for line in whole}
        if min(counts) >= _LEAST_COLUMNS and max(counts) - min(counts) <= 1:
            return delimiter
    for delimiter in _DELIMITERS:
        if len(_cells(whole[0], delimiter)) >= _LEAST_COLUMNS:
            return delimiter
    raise DataError(
        f"{source}: line 1: '{printable(sample[0])}' gives fewer than {_LEAST_COLUMNS} columns, split at tabs, semicolons or commas: "
        "export it again as CSV"
    )


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _columns(source: str, lines: Lines, delimiter: str) -> tuple[Any, ...]:
    body = b"".join(lines.text[at : at + _PIECE].encode("utf-8", "replace") for at in range(0, len(lines.text), _PIECE))
    bad: list[Any] = []

    def remember(row: Any) -> str:
        bad.append(row)
        return "skip"

    _refuse_open_quote(source, lines)
    width = _width(source, lines, delimiter)
    names = [f"{at}" for at in range(width)]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(body),
            read_options=pacsv.ReadOptions(use_threads=False, column_names=names, skip_rows=lines.skipped, block_size=max(1 << 20, 1)),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, invalid_row_handler=remember),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowException as error:
        reason = printable(" ".join(str(error).split()), 120).rstrip(".")
        raise DataError(f"{source}: this is not a readable CSV file ({reason}): export it again") from None
    if bad:
        raise _uneven(source, lines, delimiter, width)
    columns = tuple(pc.utf8_trim_whitespace(column.combine_chunks()) for column in table.columns)
    if len(columns) > _LEAST_COLUMNS and not pc.any(pc.not_equal(columns[-1], "")).as_py():
        return columns[:-1]  # every row ends with a delimiter
    return columns


def _refuse_open_quote(source: str, lines: Lines) -> None:
    """What stands behind it would belong to one cell, and how far nobody knows."""
    if '"' not in lines.text:
        return
    for number, line in enumerate(_every_line(lines.text), 1):
        if line.count('"') % 2:
            raise DataError(f"{source}: line {number}: a quotation mark is opened and not closed: mend or remove the line")


def _every_line(text: str, piece: int = _PIECE) -> Iterator[str]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start + piece)
        stop = end if end >= 0 else len(text)
        yield from _LINE.split(text[start : stop - (end > 0 and text[end - 1] == "\r")])
        start = stop + 1


def _width(source: str, lines: Lines, delimiter: str) -> int:
    rows = (line for number, line in enumerate(_first_lines(lines.text), 1) if number > lines.skipped and line)
    first = next(rows, None)
    if first is None:
        raise DataError(f"{source}: it holds no rows: export it again")
    return len(_cells(first, delimiter))


def _uneven(source: str, lines: Lines, delimiter: str, width: int) -> DataError:
    for number, line in enumerate(_every_line(lines.text), 1):
        if number > lines.skipped and line and len(_cells(line, delimiter)) != width:
            return DataError(
                f"{source}: line {number}: it has {len(_cells(line, delimiter))} cells, the lines before have {width}: mend or remove it"
            )
    return DataError(f"{source}: it has rows of other lengths than its first: export it again")
