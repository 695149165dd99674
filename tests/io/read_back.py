"""Runs the command on small inputs and reads each output with the tools that users have: NumPy, SciPy,
pyarrow and Python's csv, json and sqlite3; and polars, pandas and DuckDB where they are installed. All must
hold the same links, metadata and types.

    read_back.py COMMAND [--parquet]
"""

import csv
import importlib
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

import numpy as np
import scipy.sparse

ROWS = 300
K = 7
IDS = ["plain", "com,ma", "tab\tbed", 'quo"ted', "two\nlines", "\u6771\u4eac", " blank "]


def run(command, *arguments):
    done = subprocess.run([command, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def edges_of(matrix):
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return list(zip(rows.tolist(), matrix.indices.tolist(), matrix.data.tolist()))


def check_metadata(text, links, rows):
    record = json.loads(text)
    assert record["metric"] == "angular", record
    assert record["mapping"] == "half-cosine", record
    assert record["options"]["n_nearest"] == K, record
    assert record["links"] == links and record["rows"] == rows, record


def check_npz(path):
    matrix = scipy.sparse.load_npz(path)
    assert matrix.format == "csr" and matrix.shape == (ROWS, ROWS)
    assert matrix.indices.dtype == np.int32 and matrix.indptr.dtype == np.int32
    assert matrix.data.dtype == np.float32
    matrix.check_format(full_check=True)
    with np.load(path, allow_pickle=False) as arrays:
        assert sorted(arrays) == ["data", "format", "grouplink", "indices", "indptr", "shape"], sorted(arrays)
        assert arrays["shape"].dtype == np.int64 and arrays["format"].item() == b"csr"
        assert arrays["grouplink"].shape == ()
        check_metadata(arrays["grouplink"].item(), matrix.nnz, ROWS)
    return edges_of(matrix)


def check_text(path, separator, edges, names, mode):
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file, delimiter=separator, strict=True))
    assert lines[0] == ["Source", "Target", "Type", "Weight", "Similarity"], lines[0]
    if mode == "directed":
        kind, wanted = "Directed", edges
    else:
        kind, wanted = "Undirected", [edge for edge in edges if edge[0] < edge[1]]
    assert len(lines) - 1 == len(wanted), (len(lines), len(wanted))
    for line, (source, target, weight) in zip(lines[1:], wanted):
        assert line[:3] == [str(names[source]), str(names[target]), kind], (line, source, target)
        assert np.float32(line[3]) == np.float32(weight) and line[4] == "half-cosine", line


def check_json(path, edges, names, mode):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(edges), (len(lines), len(edges))
    for line, (source, target, weight) in zip(lines, edges):
        assert [line["source"], line["target"]] == [names[source], names[target]], line
        assert np.float32(line["weight"]) == np.float32(weight) and line["similarity"] == "half-cosine", line
        assert line.get("links", "directed") == mode, line


def check_sqlite(path, edges, names):
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = database.execute("SELECT id, other_id, score FROM similarities").fetchall()
    assert sorted(rows) == sorted((names[s], names[t], w) for s, t, w in edges)
    plan = database.execute("EXPLAIN QUERY PLAN SELECT * FROM similarities WHERE id = ? ORDER BY score DESC",
                            (names[0],)).fetchall()
    assert len(plan) == 1 and "idx_similarities_id_score" in plan[0][3], plan
    name, record = database.execute("SELECT name, value FROM grouplink").fetchone()
    assert name == "similarities"
    check_metadata(record, len(edges), ROWS)
    database.close()


def installed(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def check_other_readers(folder, edges, names):
    """Edges in links.parquet and links.arrow, by those of the other readers that are there."""
    wanted = [(names[s], names[t], w) for s, t, w in edges]
    if polars := installed("polars"):
        assert polars.read_parquet(folder / "links.parquet").rows() == wanted
        assert polars.read_ipc(folder / "links.arrow").rows() == wanted
    if pandas := installed("pandas"):
        for table in (pandas.read_parquet(folder / "links.parquet"), pandas.read_feather(folder / "links.arrow"),
                      pandas.read_json(folder / "links.jsonl", lines=True, precise_float=True)):
            columns = [table[name].tolist() for name in ("source", "target")]
            weights = table["weight"].to_numpy(np.float32).tolist()
            assert list(zip(*columns, weights)) == wanted
    if duckdb := installed("duckdb"):
        assert duckdb.sql(f"SELECT * FROM '{folder}/links.parquet'").fetchall() == wanted
        arrow_table = read_arrow(folder / "links.arrow")
        assert duckdb.sql("SELECT * FROM arrow_table").fetchall() == wanted
        lines = duckdb.sql(f"SELECT source, target, weight::FLOAT FROM read_json('{folder}/links.jsonl')").fetchall()
        assert [(s if isinstance(names[0], str) else int(s), t if isinstance(names[0], str) else int(t), w)
                for s, t, w in lines] == wanted


def read_arrow(path):
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_stream(source) if path.suffix == ".arrows" else pa.ipc.open_file(source)
        return reader.read_all()


def check_other_writers(command, folder):
    """The rows of d.parquet as others write them, whose strings and lists are not pyarrow's."""
    written = ["d.parquet"]
    if polars := installed("polars"):
        frame = polars.read_parquet(folder / "d.parquet")
        assert frame.columns == ["id", "collection", "embedding"]
        lists = frame.with_columns(polars.col("embedding").cast(polars.List(polars.Float32)))
        lists.write_ipc(folder / "polars.arrow")
        lists.write_ipc(folder / "polars_zstd.arrow", compression="zstd")
        lists.write_parquet(folder / "polars.parquet")
        frame.with_columns(polars.col("embedding").cast(polars.Array(polars.Float32, 7))).write_parquet(
            folder / "polars_array.parquet")
        lists.write_ndjson(folder / "polars.jsonl")
        written += ["polars.arrow", "polars_zstd.arrow", "polars.parquet", "polars_array.parquet", "polars.jsonl"]
    if pandas := installed("pandas"):
        frame = pandas.read_parquet(folder / "d.parquet")
        frame.to_parquet(folder / "pandas.parquet")
        frame.to_feather(folder / "pandas.feather")
        written += ["pandas.parquet", "pandas.feather"]
    if duckdb := installed("duckdb"):
        for name, kind in [("duckdb", "FLOAT[]"), ("duckdb_array", "FLOAT[7]")]:
            duckdb.sql(f"COPY (SELECT id, collection, embedding::{kind} AS embedding FROM '{folder}/d.parquet') "
                       f"TO '{folder}/{name}.parquet' (FORMAT parquet)")
            written.append(f"{name}.parquet")
    for name in written:
        run(command, "link", folder / name, "--group", "collection", "--id", "id", "-q", "-o", folder / f"{name}.csv")
        assert (folder / f"{name}.csv").read_bytes() == (folder / "d.parquet.csv").read_bytes(), name


def check_inputs(command, folder, parquet):
    """Vectors of one kind after another, and back: all hold the same numbers."""
    random = np.random.default_rng(2)
    vectors = random.standard_normal((ROWS, 7)).astype(np.float32)
    vectors[3] = [0.1, -0.0, 1e-40, 3.4028235e38, 16777216.0, -1e-10, 1.0]
    np.save(folder / "v.npy", vectors)
    database = sqlite3.connect(folder / "v.db")
    # As llm creates them.
    database.executescript("""
        CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT, model TEXT);
        CREATE TABLE embeddings (
           collection_id INTEGER REFERENCES collections(id), id TEXT, embedding BLOB, content TEXT,
           content_blob BLOB, content_hash BLOB, metadata TEXT, updated INTEGER, PRIMARY KEY (collection_id, id));
        INSERT INTO collections VALUES (1, 'one', 'demo'), (2, 'two', 'demo');""")
    database.executemany("INSERT INTO embeddings (collection_id, id, embedding) VALUES (?, ?, ?)",
                         [(i % 2 + 1, f"id {i}", row.tobytes()) for i, row in enumerate(vectors)])
    database.commit()
    database.close()
    chain = ["v.npy", "v.fbin", "v.fvecs", "v.jsonl"] + ["v.parquet", "v.arrow", "v.arrows"] * parquet + ["w.npy"]
    for before, after in zip(chain, chain[1:]):
        run(command, "convert", folder / before, folder / after, "-q", "--force")
    back = np.load(folder / "w.npy")
    assert back.dtype == np.float32 and back.tobytes() == vectors.tobytes()
    fbin = np.fromfile(folder / "v.fbin", dtype="<f4", offset=8).reshape(ROWS, 7)
    fvecs = np.fromfile(folder / "v.fvecs", dtype="<f4").reshape(ROWS, 8)[:, 1:]
    assert (np.fromfile(folder / "v.fbin", dtype="<u4", count=2) == [ROWS, 7]).all()
    for array in (fbin, fvecs):
        assert array.tobytes() == vectors.tobytes()
    lines = [json.loads(line)["embedding"] for line in (folder / "v.jsonl").read_text().splitlines()]
    assert np.array(lines).astype(np.float32).tobytes() == vectors.tobytes()

    run(command, "convert", folder / "v.db", folder / "d.jsonl", "-q")
    first = json.loads((folder / "d.jsonl").read_text().splitlines()[0])
    assert first["id"] == "id 0" and first["collection"] == "one", first
    for text in ("NaN", "Infinity", "-Infinity"):  # as Python's json writes them
        (folder / "bad.jsonl").write_text(f'{{"v": [1.0, {text}]}}\n')
        done = subprocess.run([command, "inspect", folder / "bad.jsonl"], capture_output=True, text=True)
        assert done.returncode == 3 and text.strip("-") in done.stderr, done.stderr
    if not parquet:
        return
    table = read_arrow(folder / "v.arrow")
    assert np.array(table.column("embedding").to_pylist(), dtype=np.float32).tobytes() == vectors.tobytes()
    run(command, "convert", folder / "v.db", folder / "d.parquet", "-q")
    check_other_writers(command, folder)


def check_parquet_edges(path, edges, names, id_type):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    assert table.column_names == ["source", "target", "weight"]
    assert table.schema.types == [id_type, id_type, pa.float32()], table.schema
    check_metadata(pq.read_metadata(path).metadata[b"grouplink"], len(edges), ROWS)
    columns = [column.to_pylist() for column in table.columns]
    assert list(zip(*columns)) == [(names[s], names[t], w) for s, t, w in edges]


def check_lists(table, edges, names):
    targets, weights = table.column("targets").to_pylist(), table.column("weights").to_pylist()
    got = [(row, t, w) for row in range(ROWS) for t, w in zip(targets[row], weights[row], strict=True)]
    assert got == [(s, names[t], w) for s, t, w in edges]


def check_all(command, folder, parquet):
    random = np.random.default_rng(1)
    vectors = random.standard_normal((ROWS, 5)).astype(np.float16)
    topics = [f"topic {i % 4}" for i in range(ROWS)]
    ids = [f"{IDS[i % len(IDS)]}{i}" for i in range(ROWS)]
    numbers = np.arange(ROWS, dtype=np.int64) * -3
    np.save(folder / "rows.npy", vectors)
    np.save(folder / "ids.npy", np.array(ids))
    np.save(folder / "numbers.npy", numbers)
    (folder / "topics.txt").write_text("\n".join(topics) + "\n")
    options = ["-q", "--force", "-k", K, "--similarity", "half-cosine"]
    array = [folder / "rows.npy", "--groups", folder / "topics.txt", *options]
    naming = {
        "numbers": ([], list(range(ROWS))),
        "integers": (["--ids", folder / "numbers.npy"], numbers.tolist()),
        "texts": (["--ids", folder / "ids.npy"], ids),
    }

    for mode in ["directed", "mutual", "symmetric"]:
        run(command, "link", *array, "--links", mode, "-o", folder / "links.npz")
        edges = check_npz(folder / "links.npz")
        assert edges and all(topics[s] == topics[t] for s, t, _ in edges)
        for arguments, names in naming.values():
            for extension, separator in [("csv", ","), ("tsv", "\t")]:
                path = folder / f"links.{extension}"
                run(command, "link", *array, *arguments, "--links", mode, "-o", path)
                check_text(path, separator, edges, names, mode)
            run(command, "link", *array, *arguments, "--links", mode, "-o", folder / "links.jsonl")
            check_json(folder / "links.jsonl", edges, names, mode)
            run(command, "link", *array, *arguments, "--links", mode, "-o", folder / "links.db")
            check_sqlite(folder / "links.db", edges, names)
    check_inputs(command, folder, parquet)

    if not parquet:
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    run(command, "link", *array, "-o", folder / "links.npz")
    edges = check_npz(folder / "links.npz")
    id_types = {"numbers": pa.int64(), "integers": pa.int64(), "texts": pa.string()}
    for kind, (arguments, names) in naming.items():
        path = folder / "links.parquet"
        run(command, "link", *array, *arguments, "-o", path)
        check_parquet_edges(path, edges, names, id_types[kind])
        before = path.read_bytes()
        run(command, "link", *array, *arguments, "-o", path, "--threads", 1)
        assert path.read_bytes() == before
        run(command, "link", *array, *arguments, "--layout", "lists", "-o", path)
        table = pq.read_table(path)
        assert table.column_names == ["row"] + ["id"] * bool(arguments) + ["group", "targets", "weights"]
        assert table.column("row").to_pylist() == list(range(ROWS))
        assert table.column("group").to_pylist() == topics
        assert table.schema.field("weights").type.value_type == pa.float32()
        assert table.schema.field("targets").type.value_type == id_types[kind]
        check_lists(table, edges, names)
        for extension in ("arrow", "arrows"):
            path = folder / f"links.{extension}"
            run(command, "link", *array, *arguments, "-o", path)
            edge_table = read_arrow(path)
            assert edge_table.schema.types == [id_types[kind], id_types[kind], pa.float32()], edge_table.schema
            check_metadata(edge_table.schema.metadata[b"grouplink"], len(edges), ROWS)
            columns = [column.to_pylist() for column in edge_table.columns]
            assert list(zip(*columns)) == [(names[s], names[t], w) for s, t, w in edges]
            run(command, "link", *array, *arguments, "--layout", "lists", "-o", folder / f"lists.{extension}")
            check_lists(read_arrow(folder / f"lists.{extension}"), edges, names)
        run(command, "link", *array, *arguments, "-o", folder / "links.parquet")
        run(command, "link", *array, *arguments, "-o", folder / "links.jsonl")
        check_other_readers(folder, edges, names)

    flat = pa.array(vectors.reshape(-1))
    source = pa.table({
        "topic": pa.array(topics).dictionary_encode(),
        "key": pa.array(ids),
        "vector": pa.FixedSizeListArray.from_arrays(flat, 5),
        "when": pa.array([i if i % 9 else None for i in range(ROWS)], pa.timestamp("ms", "UTC")),
        "price": pa.array([None] * ROWS, pa.decimal128(9, 2)),
        "words": pa.array([{"a": ["x", None] * (i % 3), "b": i} for i in range(ROWS)]),
        "bytes": pa.array([b"\xff\x00"] * ROWS, pa.large_binary()),
    }).replace_schema_metadata({"made by": "read_back"})
    for rows_a_group in [1, 77, ROWS]:
        pq.write_table(source, folder / "rows.parquet", row_group_size=rows_a_group)
        run(command, "link", folder / "rows.parquet", "--embedding", "vector", "--group", "topic", "--id", "key",
            *options, "--layout", "lists", "-o", folder / "lists.parquet")
        before, after = pq.read_table(folder / "rows.parquet"), pq.read_table(folder / "lists.parquet")
        assert after.column_names == before.column_names + ["targets", "weights"]
        for name in before.column_names:
            assert after.schema.field(name).equals(before.schema.field(name)), (name, after.schema)
            assert after.column(name).to_pylist() == before.column(name).to_pylist(), name
        assert after.schema.metadata[b"made by"] == b"read_back"
        check_metadata(after.schema.metadata[b"grouplink"], len(edges), ROWS)
        check_lists(after, edges, ids)


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_all(sys.argv[1], pathlib.Path(folder), "--parquet" in sys.argv[2:])
        left = [path.name for path in pathlib.Path(folder).iterdir() if ".tmp-" in path.name]
        assert not left, left


main()
