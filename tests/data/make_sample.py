#!/usr/bin/env python3
"""Makes sample.parquet from the WordNet embeddings: make_sample.py VECTORS.npy ROWS.tsv OUTPUT.parquet

VECTORS.npy holds float16 of shape (rows, 384); ROWS.tsv has a header line and the columns id, group,
words, gloss, a line a row of the vectors. Whole groups are taken, rows in their own order, so that
every row's nearest rows are in the sample. The output is a function of the inputs alone, for one
version of pyarrow. Needs pyarrow and numpy.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# From 2,573 rows down to 42: one group that is cut into tiles, some of middling size, some tiny.
GROUPS = [
    "noun.food", "noun.phenomenon", "verb.perception", "noun.feeling", "verb.emotion", "noun.shape",
    "verb.consumption", "verb.weather", "adj.ppl", "noun.Tops", "noun.motive",
]
ROW_GROUP = 1000  # so that readers have several to stream


def main() -> int:
    if len(sys.argv) != 4:
        print("usage: make_sample.py VECTORS.npy ROWS.tsv OUTPUT.parquet", file=sys.stderr)
        return 2
    vectors = np.load(sys.argv[1], mmap_mode="r")
    with open(sys.argv[2], encoding="utf-8") as file:
        header, *rows = (line.rstrip("\n").split("\t") for line in file)
    if header != ["id", "group", "words", "gloss"] or len(rows) != len(vectors):
        print(f"{sys.argv[2]}: expected columns id, group, words, gloss and {len(vectors)} rows, "
              f"got {', '.join(header)} and {len(rows)}", file=sys.stderr)
        return 1

    wanted = set(GROUPS)
    taken = [i for i, row in enumerate(rows) if row[1] in wanted]
    components = np.ascontiguousarray(vectors[taken]).reshape(-1)
    embedding = pa.FixedSizeListArray.from_arrays(pa.array(components, pa.float16()), vectors.shape[1])
    table = pa.table({
        "id": [rows[i][0] for i in taken],
        "group": [rows[i][1] for i in taken],
        "word": [rows[i][2] for i in taken],
        "gloss": [rows[i][3] for i in taken],
        "embedding": embedding,
    })
    pq.write_table(table, sys.argv[3], row_group_size=ROW_GROUP, compression="zstd", use_dictionary=["group"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
