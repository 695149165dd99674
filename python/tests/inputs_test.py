"""Embeddings, groups and ids in every form that the package takes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import grouplink
from grouplink._groups import groups_of
from grouplink._rows import rows_of

ROWS = np.random.default_rng(7).standard_normal((40, 6)).astype(np.float32)
KEYS = ["b", "a", None, "ü"] * 10
WANTED = grouplink.link(ROWS, KEYS, n_nearest=3, on_bad_row="drop")


class CapsulesOnly:
    """An object with nothing but the Arrow protocol."""

    def __init__(self, data, stream):
        self._data = data
        name = "__arrow_c_stream__" if stream else "__arrow_c_array__"
        setattr(
            type(self), name, lambda self, requested_schema=None: getattr(self._data, name)(requested_schema)
        )


def capsules(data):
    stream = not hasattr(data, "__arrow_c_array__")
    return type("Capsules", (CapsulesOnly,), {})(data, stream)


def embeddings(kind, rows=ROWS):
    if kind == "fixed_size_list":
        return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    return pa.array(
        list(rows), {"list": pa.list_, "large_list": pa.large_list}[kind](pa.from_numpy_dtype(rows.dtype))
    )


def check(links):
    assert links.targets.tolist() == WANTED.targets.tolist()
    assert links.weights.tobytes() == WANTED.weights.tobytes()


@pytest.mark.parametrize("kind", ["fixed_size_list", "list", "large_list"])
@pytest.mark.parametrize("chunked", [False, True])
def test_arrow_columns(kind, chunked):
    column = embeddings(kind)
    if chunked:
        column = pa.chunked_array([column[:7], column[7:7], column[7:]])
    check(grouplink.link(column, KEYS, n_nearest=3, on_bad_row="drop"))
    check(grouplink.link(capsules(column), pa.array(KEYS), n_nearest=3, on_bad_row="drop"))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
@pytest.mark.parametrize("kind", ["fixed_size_list", "list", "large_list"])
def test_arrow_memory_is_borrowed(kind, dtype):
    column = embeddings(kind, ROWS.astype(dtype))
    values = column.values.buffers()[1].address
    size = np.dtype(dtype).itemsize
    rows = rows_of(column)
    assert rows.address == values and rows.dtype == np.dtype(dtype).name
    sliced = rows_of(column[5:])
    assert len(sliced) == 35
    first = 5 * 6 * size if kind == "fixed_size_list" else 0  # offsets lead to it
    assert sliced.address == values + first
    # The memory is kept by what borrows it.
    del column
    links = grouplink.link(sliced, n_nearest=2, on_bad_row="drop")
    wanted = grouplink.link(ROWS.astype(dtype)[5:], n_nearest=2, on_bad_row="drop")
    assert links.targets.tolist() == wanted.targets.tolist()


@pytest.mark.parametrize("kind", ["fixed_size_list", "list", "large_list"])
@pytest.mark.parametrize("chunks", [1, 3])
@pytest.mark.parametrize("dtype", [pa.float32(), pa.int8()])
def test_nulls(kind, chunks, dtype):
    lists = [[1, 2], None, [3, None], [4, 6], [5, 1], [7, 2]]
    make = {"fixed_size_list": lambda of: pa.list_(of, 2), "list": pa.list_, "large_list": pa.large_list}[
        kind
    ]
    column = pa.array(lists, make(dtype))
    if chunks == 3:
        column = pa.chunked_array([column[:2], column[2:3], column[3:]])
    links = grouplink.link(column, n_nearest=1, on_bad_row="drop")
    status = [grouplink.ROW_STATUSES[status] for status in links.row_status]
    hole = "null_embedding" if dtype == pa.int8() else "non_finite"
    assert status == ["ok", "null_embedding", hole, "ok", "ok", "ok"]
    wanted = grouplink.link(np.array([[1, 2], [4, 6], [5, 1], [7, 2]], np.float32), n_nearest=1)
    assert links.targets.tolist() == np.array([0, 3, 4, 5])[wanted.targets].tolist()


def test_ragged_lists():
    column = pa.array([[1.0, 0.0], [1.0, 2.0, 3.0], [0.5, 0.5], [3.0, 2.0, 1.0]])
    links = grouplink.link(column, ["a", "b", "a", "b"])
    assert links.targets.tolist() == [2, 3, 0, 1]


KEY_ARRAYS = [
    pa.array(KEYS),
    pa.array(KEYS, pa.large_string()),
    pa.array(KEYS, pa.string_view()),
    pa.array(KEYS).dictionary_encode(),
    pa.chunked_array([pa.array(KEYS[:9]).dictionary_encode(), pa.array(KEYS[9:]).dictionary_encode()]),
    pa.chunked_array([KEYS[:3], KEYS[3:]]),
    pa.table({"k": KEYS}),
    tuple(KEYS),
    np.array(KEYS, object),
    pd.Series(KEYS),
    pd.Series(KEYS, dtype=object),
    pd.Series(KEYS, dtype="string"),
    pd.Series(KEYS, dtype="category"),
    pd.Categorical(KEYS),
    [float("nan") if key is None else key for key in KEYS],
    [np.str_(key) if key else None for key in KEYS],
]


@pytest.mark.parametrize("keys", KEY_ARRAYS, ids=lambda keys: type(keys).__name__)
def test_groups_of_strings(keys):
    groups = groups_of(keys, 40)
    assert groups.keys == ["b", "a", "ü"]
    assert groups.codes.tolist() == [0, 1, -1, 2] * 10
    check(grouplink.link(ROWS, keys, n_nearest=3, on_bad_row="drop"))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_groups_of_integers(dtype):
    numbers = np.array([7, 3, 7, 100, 3], dtype)
    sources = [
        numbers,
        numbers.tolist(),
        pa.array(numbers),
        pd.Series(numbers),
        numbers[::-1][::-1],
        list(numbers),
    ]
    for groups in sources:
        coded = groups_of(groups, 5)
        assert coded.keys == ["7", "3", "100"] and coded.codes.tolist() == [0, 1, 0, 2, 1]


def test_groups_of_other_values():
    assert groups_of([True, False, True], 3).keys == ["true", "false"]
    assert groups_of(pa.array([True, None]), 2).codes.tolist() == [0, -1]
    assert groups_of(pa.array([2**64 - 1], pa.uint64()), 1).keys == [str(2**64 - 1)]
    assert groups_of(np.array([2**64 - 1], np.uint64), 1).keys == [str(2**64 - 1)]
    assert groups_of(pd.Series([1, None, 2], dtype="Int64"), 3).keys == ["1", "2"]
    assert groups_of(np.array(["x", "y", "x"]), 3).codes.tolist() == [0, 1, 0]
    long = "a text that is longer than twelve bytes"
    assert groups_of(pa.array([long, "b", None], pa.string_view()), 3).keys == [long, "b"]
    assert groups_of((key for key in "xyx"), 3).keys == ["x", "y"]
    # Keys that are alike as text are one group, as in the command.
    assert groups_of(["1", 1], 2).codes.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("groups", "error", "text"),
    [
        ([1.5, 2.5], TypeError, "groups: row 0 is a float, wants str, int or None"),
        (["a", b"b"], TypeError, "groups: row 1 is a bytes"),
        ("ab", TypeError, "groups: got 'ab', wants a group for each row"),
        (["a"], ValueError, "groups: 1 codes for 2 rows of vectors"),
        (np.ones((2, 2), int), ValueError, "groups: got an array of 2 dimensions"),
        (pa.array([1.5, 2.5]), TypeError, "groups: got a column of float64, wants strings or integers"),
        (
            pa.table({"a": [1, 2], "b": [1, 2]}),
            ValueError,
            "groups: got a table of 2 columns, wants one column",
        ),
    ],
)
def test_wrong_groups(groups, error, text):
    with pytest.raises(error, match=text):
        grouplink.link(np.ones((2, 2)), groups)


def table_of(kind):
    columns = {"vector": embeddings("fixed_size_list"), "site": KEYS, "name": [f"row {i}" for i in range(40)]}
    table = pa.table(columns)
    if kind == "polars":
        return pytest.importorskip("polars").from_arrow(table)
    if kind == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        return duckdb.connect().from_arrow(table)
    if kind == "pandas":
        return pd.DataFrame({**columns, "vector": list(ROWS)})
    if kind == "dict":
        return {**columns, "vector": ROWS}
    if kind == "record batch":
        return table.to_batches()[0]
    if kind == "reader":
        return table.to_reader()
    return table


@pytest.mark.parametrize("kind", ["pyarrow", "record batch", "reader", "polars", "duckdb", "pandas", "dict"])
def test_tables(kind):
    links = grouplink.link_table(
        table_of(kind), embedding="vector", group="site", id="name", n_nearest=3, on_bad_row="drop"
    )
    check(links)
    edges = links.to_arrow()
    assert edges.column_names == ["source", "target", "weight"]
    assert edges["target"].to_pylist() == [f"row {i}" for i in WANTED.targets]
    frame = links.to_pandas()
    assert frame["source"].tolist() == edges["source"].to_pylist()


def test_the_only_column_of_vectors_is_found():
    check(grouplink.link_table(table_of("pyarrow"), group="site", n_nearest=3, on_bad_row="drop"))
    check(grouplink.link(table_of("polars"), KEYS, n_nearest=3, on_bad_row="drop"))
    two = pa.table({"a": embeddings("list"), "b": embeddings("list")})
    with pytest.raises(
        ValueError, match=r"embedding: got 2 columns of float lists \(a, b\), name one of them"
    ):
        grouplink.link_table(two)
    with pytest.raises(ValueError, match=r"embedding: no column of float lists among x \(int64\)"):
        grouplink.link_table(pa.table({"x": [1]}))


@pytest.mark.parametrize("kind", ["pyarrow", "pandas", "dict"])
def test_unknown_columns(kind):
    with pytest.raises(
        ValueError, match='group: there is no column "sit"; there are vector, site, name; did you mean'
    ):
        grouplink.link_table(table_of(kind), embedding="vector", group="sit")


@pytest.mark.parametrize(
    ("table", "error", "text"),
    [
        (pa.array([[1.0]]), TypeError, "table: got a column, wants a table"),
        (3, TypeError, "table: got a int, wants a table or a dict of columns"),
        ({"a": 1}, ValueError, "embedding: name one of the columns a"),
    ],
)
def test_wrong_tables(table, error, text):
    with pytest.raises(error, match=text):
        grouplink.link_table(table)


def test_wrong_columns_of_vectors():
    with pytest.raises(TypeError, match=r"vectors: got a column of list<int64>, wants list, large_list"):
        grouplink.link(pa.array([[1, 2]]))
    with pytest.raises(TypeError, match="vectors: got a column of utf8"):
        grouplink.link(pa.array(["a"]))
    stream = pa.table({"v": embeddings("list")}).to_reader()
    grouplink.link(stream)
    assert len(grouplink.link(pa.array([], pa.list_(pa.float32())))) == 0
    assert len(grouplink.link(pa.chunked_array([], pa.list_(pa.float32(), 3)))) == 0


def test_a_failing_stream_says_why():
    def batches():
        yield pa.record_batch({"v": embeddings("list")})
        raise OSError("the disk is gone")

    schema = pa.schema({"v": pa.list_(pa.float32())})
    with pytest.raises(ValueError, match="Arrow stream: .*the disk is gone"):
        grouplink.link(pa.RecordBatchReader.from_batches(schema, batches()))


def test_ids():
    for ids in (list(range(100, 140)), np.arange(100, 140, dtype=np.int32), pa.array(range(100, 140))):
        frame = grouplink.link(ROWS, n_nearest=1, ids=ids).to_pandas()
        assert frame["source"].tolist() == list(range(100, 140))
    with pytest.raises(ValueError, match="ids: got 2 for 40 rows"):
        grouplink.link(ROWS, ids=["a", "b"])
    with pytest.raises(TypeError, match="ids: row 1 is None, wants str throughout"):
        grouplink.link(ROWS[:2], ids=["a", None])
    with pytest.raises(ValueError, match="ids: row 1 is null; give each row an id"):
        grouplink.link(ROWS[:2], ids=pa.array(["a", None]))


def test_lists_layout():
    links = grouplink.link(ROWS, KEYS, n_nearest=3, on_bad_row="drop", ids=[f"r{i}" for i in range(40)])
    lists = links.to_arrow("lists")
    assert lists.column_names == ["row", "id", "group", "targets", "weights"]
    assert lists["group"].to_pylist() == KEYS
    assert (
        lists["targets"].to_pylist()[2] == []
        and lists["targets"].to_pylist()[0][0] == f"r{WANTED.targets[0]}"
    )
    assert sum(map(len, lists["weights"].to_pylist())) == len(links)
    assert grouplink.link(ROWS, n_nearest=3).to_arrow("lists").column_names == ["row", "targets", "weights"]
    with pytest.raises(ValueError, match='layout: got "rows", wants edges or lists'):
        links.to_arrow("rows")


def test_arrow_columns_share_the_memory():
    edges = WANTED.to_arrow()
    assert edges["weight"].chunk(0).buffers()[1].address == WANTED.weights.ctypes.data
