#!/usr/bin/env python3
"""Near-duplicates within categories: pairs that are nearest to each other, and sets of what is the same.

    python3 near_duplicates.py

Some rows of the sample are listed again as if by another seller, with a vector that is a little off; some of
these in a category where they do not belong.
"""

import os
import pathlib
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse

GROUPLINK = os.environ.get("GROUPLINK", "grouplink")
SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "sample.parquet"
COPIES = 300
STRAYS = 20  # of these in another category

random = np.random.default_rng(7)
sample = pq.read_table(SAMPLE)
vectors = np.array(sample["embedding"].to_pylist(), dtype=np.float32)
names = [word.split(", ")[0] for word in sample["word"].to_pylist()]
categories = sample["group"].to_pylist()

copied = random.choice(len(names), COPIES, replace=False)
noise = random.standard_normal((COPIES, vectors.shape[1])) * 0.004
vectors = np.concatenate([vectors, (vectors[copied] + noise).astype(np.float32)])
names += [names[row] for row in copied]
categories += [categories[row] if i >= STRAYS else "misplaced" for i, row in enumerate(copied)]
offers = pa.table({
    "offer": pa.array(range(len(names)), pa.int64()),
    "name": names,
    "category": categories,
    "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1]),
})
pq.write_table(offers, "offers.parquet")

# Each row's five nearest, of which a pair is kept where each is among the other's and the weight is 0.95 or
# more: a cosine of 0.995.
subprocess.run([GROUPLINK, "link", "offers.parquet", "--group", "category", "-k", "5", "--links", "mutual",
                "--similarity-min", "0.95", "-o", "pairs.npz", "-q"], check=True)

# Sets of what hangs together, the larger ones as well.
pairs = scipy.sparse.load_npz("pairs.npz")
count, labels = scipy.sparse.csgraph.connected_components(pairs, directed=False)
sizes = np.bincount(labels)
print(f"{len(names)} offers, {pairs.nnz // 2} pairs, {np.sum(sizes > 1)} sets of duplicates")
for label in np.flatnonzero(sizes > 1)[:3]:
    rows = np.flatnonzero(labels == label)
    print("    " + ", ".join(f"{row} {names[row]}" for row in rows), f"({categories[rows[0]]})")

originals = len(names) - COPIES
planted = {(int(row), originals + i) for i, row in enumerate(copied)}
inside = {pair for pair in planted if pair[1] >= originals + STRAYS}
found = {(int(a), int(b)) for a, b in zip(*scipy.sparse.triu(pairs).nonzero())}
print(f"{len(found & inside)} of {len(inside)} copies found, {len(found & planted - inside)} across categories, "
      f"{len(found - planted)} pairs that were not planted")
assert inside <= found and not found & (planted - inside)
