"""Arrays without an owner, for the inside of a compiled call.

numba counts references of an array whenever it is taken out of a tuple or handed to a function; with forty arrays and a
thousand such moments per bar that was 40 times the work of the rules. Inside one call from Python the caller keeps the
arrays alive, so `borrowed` turns a named tuple of arrays into the same tuple of bare pointers with the same syntax:
`table[i]`, `table[i, j]`, `table[i] = value`, `len(table)`, `width(table)`. Indices are not checked and do not wrap.

Handing fifty arrays over from Python costs 9 µs a call. Who calls once per price hands over their addresses instead: `lend` writes them
down, and a `taken` turns them into the same named tuples (0.3 µs). The lender keeps the arrays alive, and lends again when one is replaced.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numba import from_dtype
from numba.core import cgutils
from numba.core import types as numba_types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model
from numba.np.arrayobj import make_array

types: Any = numba_types


class Borrowed(numba_types.Type):
    """A C-contiguous array of one or two dimensions, as pointer and extents."""

    def __init__(self, dtype: Any, ndim: int) -> None:
        self.dtype, self.ndim = dtype, ndim
        super().__init__(name=f"Borrowed({dtype}, {ndim})")


@register_model(Borrowed)
class BorrowedModel(models.StructModel):  # type: ignore[misc]  # numba is taken as untyped
    def __init__(self, manager: Any, kind: Borrowed) -> None:
        super().__init__(manager, kind, [("data", types.voidptr), ("length", types.intp), ("width", types.intp)])


def _borrow(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    array, bare = make_array(kind)(context, builder, value), cgutils.create_struct_proxy(Borrowed(kind.dtype, kind.ndim))(context, builder)
    extents = cgutils.unpack_tuple(builder, array.shape, kind.ndim)
    bare.data = builder.bitcast(array.data, cgutils.voidptr_t)
    bare.length, bare.width = extents[0], extents[-1]
    return bare._getvalue()


@intrinsic  # type: ignore[untyped-decorator]  # numba is taken as untyped
def borrowed(typing_context: Any, arrays: Any) -> Any:
    """The same named tuple over the same memory; valid only while the caller's arrays live."""
    if not isinstance(arrays, types.BaseNamedTuple) or not all(kind.layout == "C" for kind in arrays):
        return None
    bare = types.NamedTuple([Borrowed(kind.dtype, kind.ndim) for kind in arrays], arrays.instance_class)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parts = cgutils.unpack_tuple(builder, arguments[0], len(arrays))
        return context.make_tuple(builder, bare, [_borrow(context, builder, k, part) for k, part in zip(arrays, parts, strict=True)])

    return bare(arrays), generate


ADDRESS, LENGTH, WIDTH = range(3)


def lend(*tuples: Sequence[np.ndarray[Any, np.dtype[Any]]]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Where the arrays of these named tuples lie, one row for each."""
    arrays = [array for group in tuples for array in group]
    if not all(array.flags.c_contiguous for array in arrays):
        raise ValueError("only contiguous arrays can be lent")
    return np.array([[array.ctypes.data, array.shape[0], array.shape[-1]] for array in arrays], np.int64)


def taken(kind: Any, first: int, dtypes: Mapping[str, tuple[Any, int]]) -> Any:
    """A compiled function from what `lend` wrote down to the named tuple whose first array is in row `first`; `dtypes` gives each
    column's dtype and dimensions, int64 in one dimension where it says nothing."""
    columns = [Borrowed(from_dtype(np.dtype(dtype)), ndim) for dtype, ndim in (dtypes.get(name, (np.int64, 1)) for name in kind._fields)]
    bare = types.NamedTuple(columns, kind)

    @intrinsic  # type: ignore[untyped-decorator]  # numba is taken as untyped
    def take(typing_context: Any, lent: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows = make_array(lent)(context, builder, arguments[0]).data

            def cell(row: int, column: int) -> Any:
                return builder.load(builder.gep(rows, [context.get_constant(types.intp, row * 3 + column)]))

            def table(number: int, column: Borrowed) -> Any:
                made = cgutils.create_struct_proxy(column)(context, builder)
                made.data = builder.inttoptr(cell(first + number, ADDRESS), cgutils.voidptr_t)
                made.length, made.width = cell(first + number, LENGTH), cell(first + number, WIDTH)
                return made._getvalue()

            return context.make_tuple(builder, bare, [table(number, column) for number, column in enumerate(columns)])

        return bare(lent), generate

    return take


def _index_fits(table: Any, index: Any) -> bool:
    if not isinstance(table, Borrowed):
        return False
    if table.ndim == 1:
        return isinstance(index, types.Integer)
    return isinstance(index, types.UniTuple) and index.count == 2 and isinstance(index.dtype, types.Integer)


@infer_global(operator.getitem)
class GetItem(AbstractTemplate):  # type: ignore[misc]  # numba is taken as untyped
    def generic(self, arguments: Any, keywords: Any) -> Any:
        table, index = arguments
        return signature(table.dtype, table, index) if _index_fits(table, index) else None


@infer_global(operator.setitem)
class SetItem(AbstractTemplate):  # type: ignore[misc]  # numba is taken as untyped
    def generic(self, arguments: Any, keywords: Any) -> Any:
        table, index, _ = arguments
        return signature(types.none, table, index, table.dtype) if _index_fits(table, index) else None


@infer_global(len)
class Length(AbstractTemplate):  # type: ignore[misc]  # numba is taken as untyped
    def generic(self, arguments: Any, keywords: Any) -> Any:
        (table,) = arguments
        return signature(types.intp, table) if isinstance(table, Borrowed) else None


def _address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = signature.args[0]
    table, position = cgutils.create_struct_proxy(kind)(context, builder, arguments[0]), arguments[1]
    if kind.ndim == 2:
        row, column = cgutils.unpack_tuple(builder, position, 2)
        position = builder.add(builder.mul(row, table.width), column)
    item = context.get_data_type(kind.dtype).as_pointer()
    return builder.gep(builder.bitcast(table.data, item), [position])


@lower_builtin(operator.getitem, Borrowed, types.Any)  # type: ignore[untyped-decorator]  # the same
def _get_item(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return context.unpack_value(builder, signature.return_type, _address(context, builder, signature, arguments))


@lower_builtin(operator.setitem, Borrowed, types.Any, types.Any)  # type: ignore[untyped-decorator]  # the same
def _set_item(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind, address = signature.args[0].dtype, _address(context, builder, signature, arguments)
    if isinstance(kind, types.Record):
        cgutils.raw_memcpy(builder, address, arguments[2], context.get_constant(types.intp, kind.size), 1)
    else:
        context.pack_value(builder, kind, arguments[2], address)
    return context.get_dummy_value()


@lower_builtin(len, Borrowed)  # type: ignore[untyped-decorator]  # the same
def _length(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0]).length


@intrinsic  # type: ignore[untyped-decorator]  # numba is taken as untyped
def width(typing_context: Any, table: Any) -> Any:
    """Columns of a two-dimensional table."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0]).width

    return (types.intp(table), generate) if isinstance(table, Borrowed) else None
