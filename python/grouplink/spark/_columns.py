"""The columns of a DataFrame that matter here, in the form that the rest takes them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

_WHOLE_NUMBERS = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)


@dataclass(frozen=True)
class Rows:
    """A DataFrame of `key`, `grp` and `vec`: id, group and components.

    Attributes
    ----------
    frame : DataFrame
    id, group : str
        Names that the columns had; group is None where all rows are one group.
    key_type, group_type : DataType
    component : int
        Bytes of a component: 4 or 8.
    """

    frame: DataFrame
    id: str
    group: str | None
    key_type: T.DataType
    group_type: T.DataType
    component: int


def rows_of(frame: DataFrame, embedding: str, id: str, group: str | None) -> Rows:
    """Choose and check columns.

    Raises
    ------
    ValueError
        When a column is not there.
    TypeError
        When it has a type that cannot be linked, named or grouped by.
    """
    vector, component = _vector(frame, embedding)
    columns = [
        _name_type(frame, "id", id).alias("key"),
        (F.lit("") if group is None else _name_type(frame, "group", group)).alias("grp"),
        vector.alias("vec"),
    ]
    chosen = frame.select(*columns)
    types = {field.name: field.dataType for field in chosen.schema.fields}
    return Rows(chosen, id, group, types["key"], types["grp"], component)


def _type_of(frame: DataFrame, role: str, name: str) -> Any:
    names = frame.columns
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{role}: there is no column {name!r} among {', '.join(names)}{meant}")
    return frame.schema[name].dataType


def _column(name: str) -> Column:
    return F.col("`" + name.replace("`", "``") + "`")


def _name_type(frame: DataFrame, role: str, name: str) -> Column:
    kind = _type_of(frame, role, name)
    if not isinstance(kind, (T.StringType, *_WHOLE_NUMBERS)):
        raise TypeError(
            f"{role}: column {name!r} is of type {kind.simpleString()}, wants string or an integer"
        )
    return _column(name)


def _vector(frame: DataFrame, name: str) -> tuple[Column, int]:
    kind = _type_of(frame, "embedding", name)
    column = _column(name)
    if type(kind).__name__ == "VectorUDT":
        from pyspark.ml.functions import vector_to_array

        return F.when(column.isNotNull(), vector_to_array(column)), 8
    if isinstance(kind, T.ArrayType):
        if isinstance(kind.elementType, T.FloatType):
            return column, 4
        if isinstance(kind.elementType, T.DoubleType):
            return column, 8
        if isinstance(kind.elementType, T.ByteType):
            return column.cast("array<float>"), 4
    raise TypeError(
        f"embedding: column {name!r} is of type {kind.simpleString()}, wants array<float>, array<double>, "
        "array<tinyint> or a vector of pyspark.ml"
    )
