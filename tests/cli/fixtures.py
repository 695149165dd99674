"""The small inputs of the golden cases, made anew for each run."""

import json
import pathlib
import sqlite3

import numpy as np

try:
    import pyarrow as pa
    import pyarrow.feather as feather
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
    feather.write_feather(table, folder / "rows.feather", compression="uncompressed")
    feather.write_feather(table, folder / "lz4.arrow", compression="lz4")
    with pa.ipc.new_stream(folder / "rows.arrows", table.schema) as stream:
        stream.write_table(table, max_chunksize=3)
    for name in ("rows.feather", "rows.arrows"):
        ending = name.split(".")[1]
        (folder / f"short.{ending}").write_bytes((folder / name).read_bytes()[:-20])
    (folder / "noise.arrow").write_bytes(b"this is not a table\n" * 4)
    whole = (folder / "rows.parquet").read_bytes()
    (folder / "short.parquet").write_bytes(whole[:-10])
    if SAMPLE.exists():
        (folder / "sample.parquet").symlink_to(SAMPLE)


# The tables as `llm` creates them.
LLM_TABLES = """
CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT, model TEXT);
CREATE UNIQUE INDEX idx_collections_name ON collections (name);
CREATE TABLE embeddings (
   collection_id INTEGER REFERENCES collections(id), id TEXT, embedding BLOB, content TEXT,
   content_blob BLOB, content_hash BLOB, metadata TEXT, updated INTEGER, PRIMARY KEY (collection_id, id));
CREATE INDEX idx_embeddings_content_hash ON embeddings (content_hash);
"""


def make_database(path, blobs):
    """Embeddings as llm stores them: a collection a topic."""
    database = sqlite3.connect(path)
    database.executescript(LLM_TABLES)
    collections = {topic: i + 1 for i, topic in enumerate(dict.fromkeys(TOPICS))}
    database.executemany("INSERT INTO collections VALUES (?, ?, 'demo')",
                         [(number, topic) for topic, number in collections.items()])
    database.executemany("INSERT INTO embeddings (collection_id, id, embedding, updated) VALUES (?, ?, ?, 1)",
                         [(collections[topic], word, blob) for topic, word, blob in zip(TOPICS, WORDS, blobs)])
    database.commit()
    database.close()


def make_databases(folder):
    blobs = [row.astype("<f4").tobytes() for row in VECTORS]
    make_database(folder / "embeddings.db", blobs)
    make_database(folder / "odd.db", blobs[:3] + [blobs[3][:-1]] + blobs[4:])
    (folder / "short.db").write_bytes((folder / "embeddings.db").read_bytes()[:5000])
    (folder / "noise.db").write_bytes(b"this is not a database\n" * 4)
    database = sqlite3.connect(folder / "other.db")
    database.execute("CREATE TABLE posts (id INTEGER)")
    database.close()


def make_vector_files(folder):
    rows, dim = VECTORS.shape
    header = np.array([rows, dim], dtype="<u4").tobytes()
    (folder / "rows.fbin").write_bytes(header + VECTORS.tobytes())
    (folder / "short.fbin").write_bytes(header + VECTORS.tobytes()[:-3])
    (folder / "huge.fbin").write_bytes(np.array([2**32 - 1, 2**32 - 1], dtype="<u4").tobytes())
    record = np.array([dim], dtype="<u4").tobytes()
    (folder / "rows.fvecs").write_bytes(b"".join(record + row.tobytes() for row in VECTORS))
    (folder / "short.fvecs").write_bytes(b"".join(record + row.tobytes() for row in VECTORS)[:-3])
    ragged = record + VECTORS[0].tobytes() + np.array([2], dtype="<u4").tobytes() + VECTORS[1].tobytes()
    (folder / "ragged.fvecs").write_bytes(ragged)


def make_json_lines(folder):
    lines = [json.dumps({"word": word, "topic": topic, "vector": row.tolist()})
             for word, topic, row in zip(WORDS, TOPICS, VECTORS)]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "short.jsonl").write_text("\n".join(lines)[:-10])
    (folder / "nan.jsonl").write_text(lines[0] + '\n{"word": "b", "vector": [1, NaN]}\n')
    (folder / "text.jsonl").write_text(lines[0] + '\n{"word": "b", "vector": [1, "2"]}\n')
    (folder / "bytes.jsonl").write_bytes(lines[0].encode() + b'\n{"word": "\xff", "vector": [1]}\n')


def make_params(folder):
    step = {"n_nearest": 2, "similarity_min": 0.25, "metric": "angular", "n_trees": 30, "search_k_mult": 2, "seed": 0}
    (folder / "step.json").write_text(json.dumps(step))
    (folder / "plain.json").write_text('{"n_nearest": 1, "similarity_min_q": 0.5}')
    (folder / "unknown.json").write_text('{"n_neares": 2}')
    (folder / "range.json").write_text('{"similarity_min_q": 2}')
    (folder / "type.json").write_text('{"n_nearest": "2"}')
    (folder / "fraction.json").write_text('{"n_nearest": 2.5}')
    (folder / "metric.json").write_text('{"metric": "cosine"}')
    (folder / "list.json").write_text("[1]")


def make_all(folder):
    make_arrays(folder)
    make_databases(folder)
    make_vector_files(folder)
    make_json_lines(folder)
    make_params(folder)
    make_texts(folder)
    if pa is not None:
        make_tables(folder)
    (folder / "folder").mkdir()
    (folder / "folder.npy").mkdir()
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)
