"""The small inputs of the golden cases, made anew for each run."""

import pathlib

import numpy as np

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    pa = None

SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "data" / "sample.parquet"

# Ten rows of four components in three groups; row 3 equals row 0, and the group "tools" is one row.
VECTORS = np.array([
    [1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1],
    [1, 2, 3, 4], [4, 3, 2, 1], [1, 2, 3, 5], [0, 0, 0, 1],
    [1, 1, 1, 1],
], dtype=np.float32)
TOPICS = ["food"] * 5 + ["music"] * 4 + ["tools"]
WORDS = ["apple", "bread", "cake", "dough", "egg", "fugue", "gong", "hymn", "interval", "jigsaw"]


def bad_vectors():
    vectors = VECTORS.copy()
    vectors[2, 1] = np.nan
    vectors[6] = 0
    vectors[8, 3] = np.inf
    return vectors


def make_arrays(folder):
    np.save(folder / "rows.npy", VECTORS)
    np.save(folder / "many.npy", np.random.default_rng(1).standard_normal((1000, 8)).astype(np.float32))
    np.save(folder / "rows16.npy", VECTORS.astype(np.float16))
    np.save(folder / "rows64.npy", VECTORS.astype(np.float64))
    np.save(folder / "rows8.npy", VECTORS.astype(np.int8))
    np.save(folder / "bad.npy", bad_vectors())
    np.save(folder / "flat.npy", VECTORS.reshape(-1))
    np.save(folder / "none.npy", VECTORS[:0])
    np.save(folder / "words.npy", np.array(WORDS))
    np.save(folder / "codes.npy", np.array([7] * 5 + [3] * 4 + [9]))
    whole = (folder / "rows.npy").read_bytes()
    (folder / "short.npy").write_bytes(whole[:-10])
    (folder / "empty.npy").write_bytes(b"")
    (folder / "noise.npy").write_bytes(b"this is not an array\n" * 4)
    (folder / "noise.parquet").write_bytes(b"this is not a table\n" * 4)


def make_texts(folder):
    (folder / "topics.txt").write_text("".join(f"{topic}\n" for topic in TOPICS))
    (folder / "words.txt").write_text("".join(f"{word}\n" for word in WORDS))
    (folder / "short.txt").write_text("food\nmusic\n")
    gaps = TOPICS[:1] + [""] + TOPICS[2:]
    (folder / "gaps.txt").write_text("".join(f"{topic}\n" for topic in gaps))
    rows = "".join(f"{word}\t{topic}\n" for word, topic in zip(WORDS, TOPICS))
    (folder / "rows.tsv").write_text("word\ttopic\n" + rows)
    (folder / "rows.csv").write_text(("word\ttopic\n" + rows).replace("\t", ","))


def make_tables(folder):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.reshape(-1)), 4)
    columns = {"word": pa.array(WORDS), "topic": pa.array(TOPICS), "vector": vectors}
    table = pa.table(columns)
    pq.write_table(table, folder / "rows.parquet")
    pq.write_table(table.append_column("other", vectors), folder / "two.parquet")
    pq.write_table(table.select(["word", "topic"]), folder / "texts.parquet")
    ragged = [row.tolist() for row in bad_vectors()]
    ragged[1] = None
    ragged[7] = [1.0, 2.0, 3.0]
    bad = columns | {
        "topic": pa.array([None if i == 4 else topic for i, topic in enumerate(TOPICS)]),
        "vector": pa.array(ragged, type=pa.list_(pa.float32())),
    }
    pq.write_table(pa.table(bad), folder / "bad.parquet")
    strange = columns | {"topic": pa.array(["a\nb\x1b[31m"] * 5 + ["\u6771\u4eac"] * 4 + ["x" * 60])}
    pq.write_table(pa.table(strange), folder / "strange.parquet")
    many = 60
    many_vectors = np.random.default_rng(0).standard_normal((many * 2, 4)).astype(np.float32)
    pq.write_table(pa.table({
        "topic": pa.array([f"topic {i // 2:02}" for i in range(many * 2)]),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(many_vectors.reshape(-1)), 4),
    }), folder / "many.parquet")
    whole = (folder / "rows.parquet").read_bytes()
    (folder / "short.parquet").write_bytes(whole[:-10])
    if SAMPLE.exists():
        (folder / "sample.parquet").symlink_to(SAMPLE)


def make_all(folder):
    make_arrays(folder)
    make_texts(folder)
    if pa is not None:
        make_tables(folder)
    (folder / "folder").mkdir()
    (folder / "folder.npy").mkdir()
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)
