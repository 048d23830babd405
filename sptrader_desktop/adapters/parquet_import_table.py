"""A Parquet file of any columns as the table of texts that an import reads, so that one set of rules understands both kinds of file."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sptrader_desktop.adapters.candle_layout import printable
from sptrader_desktop.adapters.csv_import_table import Lines, Table
from sptrader_desktop.core.errors import DataError

_LEAST_COLUMNS = 3


class _Rows(Lines):
    def of(self, row: int) -> int:
        return row + 1


def read_parquet_table(path: Path) -> Table:
    source = str(path)
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        columns = tuple(column.combine_chunks().cast(pa.string()).fill_null("") for column in table.columns)
    except (pa.ArrowException, OSError, EOFError) as error:
        reason = printable(" ".join(str(error).split()), 160).rstrip(".")
        raise DataError(f"{source}: this is not a readable Parquet table ({reason}): fetch or export it again") from None
    if len(columns) < _LEAST_COLUMNS or not table.num_rows:
        raise DataError(f"{source}: it holds {table.num_rows} rows of {len(columns)} columns, which are no candles: export it again")
    return Table(source, ",", tuple(table.column_names), columns, _Rows("", 0))
