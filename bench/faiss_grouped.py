#!/usr/bin/env python3
"""One run of the loop over groups with faiss-cpu, in a process of its own; prints a JSON object.

What counts as the core: widen, normalise, IndexFlatIP, search, drop the row itself. Two ways to use
the threads: `groups` searches a group on each, largest first; `inside` leaves them all to FAISS,
group by group. Run by run_grouped.py.
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

started = time.perf_counter()


def load(arguments):
    import numpy as np

    if arguments.groups_file:
        vectors = np.load(arguments.file)
        path, _, column = arguments.groups_file.rpartition(":")
        if path:
            with open(path, encoding="utf-8") as file:
                place = next(file).rstrip("\n").split("\t").index(column)
                groups = [line.rstrip("\n").split("\t")[place] for line in file]
        else:
            groups = np.load(arguments.groups_file).tolist()
    else:
        import pyarrow.parquet as pq

        table = pq.read_table(arguments.file, columns=["group", "embedding"])
        groups = table["group"].to_pylist()
        flat = table["embedding"].combine_chunks().flatten().to_numpy()
        vectors = flat.reshape(len(groups), -1)
    code_of = {}
    codes = np.fromiter((code_of.setdefault(group, len(code_of)) for group in groups), np.int64, len(groups))
    order = np.argsort(codes, kind="stable")
    return vectors, np.split(order, np.cumsum(np.bincount(codes))[:-1])


def link_group(vectors, rows, k, targets):
    import faiss
    import numpy as np

    if len(rows) < 2:
        return
    part = vectors[rows].astype(np.float32)
    faiss.normalize_L2(part)
    index = faiss.IndexFlatIP(part.shape[1])
    index.add(part)
    wanted = min(k + 1, len(rows))
    _, found = index.search(part, wanted)
    # The row itself is left out by number; where equal rows crowd it out, the last one goes instead.
    itself = found == np.arange(len(rows))[:, None]
    missing = ~itself.any(axis=1)
    itself[missing, -1] = True
    targets[rows, : wanted - 1] = rows[found[~itself].reshape(len(rows), wanted - 1)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="a .parquet file with the columns group and embedding, or a .npy file")
    parser.add_argument("--groups-file", help="beside a .npy file: FILE.tsv:COLUMN, or a .npy of integers")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("-k", type=int, default=15)
    parser.add_argument("--way", choices=["groups", "inside"], default="groups")
    parser.add_argument("--save", help="file for the neighbors: k int64 a row, -1 for none")
    arguments = parser.parse_args()

    # The BLAS inside the wheel reads these once, when it is loaded.
    inner = 1 if arguments.way == "groups" else arguments.threads
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(inner)
    import faiss
    import numpy as np

    vectors, groups = load(arguments)
    targets = np.full((len(vectors), arguments.k), -1, np.int64)
    begun = time.perf_counter()
    if arguments.way == "inside":
        faiss.omp_set_num_threads(arguments.threads)
        for rows in groups:
            link_group(vectors, rows, arguments.k, targets)
    else:
        groups.sort(key=len, reverse=True)
        # The number of OpenMP threads belongs to the thread that sets it.
        with ThreadPoolExecutor(arguments.threads, initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool:
            list(pool.map(lambda rows: link_group(vectors, rows, arguments.k, targets), groups))
    core = time.perf_counter() - begun
    if arguments.save:
        targets.tofile(arguments.save)
    json.dump({"core": core, "inside_process": time.perf_counter() - started,
               "versions": {"faiss-cpu": faiss.__version__, "numpy": np.__version__},
               "compile_options": faiss.get_compile_options()}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
