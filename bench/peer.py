#!/usr/bin/env python3
"""One run of another library, from Python, in a process of its own; prints a JSON object. Run by bench/run.

What counts as the core: widen, normalise, index, search, drop the row itself. Two ways to use the threads
on several groups: `groups` searches a group on each, largest first; `inside` leaves them all to the library,
group by group.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

LEAST_APPROXIMATE = 1000  # rows of a group; below, a flat index is faster than any other
WARM_UP = 4000  # rows on which pynndescent compiles all that the run then uses


def parsed(text: str) -> dict:
    """The knobs in "M=32,ef=64": numbers where they are."""
    def value_of(value: str) -> int | float | str:
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                pass
        return value
    return {name: value_of(value) for name, value in (part.split("=", 1) for part in text.split(",") if part)}


# Each takes normalised float32 rows, neighbors wanted (one more than k), threads, and its knobs, and gives row
# numbers, a row each, nearest first, among them mostly the row itself.


def faiss_flat(rows, wanted, threads):
    import faiss

    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return index.search(rows, wanted)[1]


def ivf_of(rows, nlist, nprobe):
    import faiss

    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], nlist, faiss.METRIC_INNER_PRODUCT)
    index.train(rows)
    index.add(rows)
    index.nprobe = nprobe
    return index


def faiss_ivf(rows, wanted, threads, nlist, nprobe):
    return ivf_of(rows, nlist, nprobe).search(rows, wanted)[1]


def faiss_ivf_batch(rows, wanted, threads, nlist, nprobe):
    """List by list for all rows at once, as FAISS's own script for large batches does."""
    from faiss.contrib.big_batch_search import big_batch_search

    index = ivf_of(rows, nlist, nprobe)
    with contextlib.redirect_stdout(io.StringIO()):  # it tells its progress there
        return big_batch_search(index, rows, wanted, method="knn_function", threaded=0)[1]


def faiss_hnsw(rows, wanted, threads, M, efc, ef):
    import faiss

    index = faiss.IndexHNSWFlat(rows.shape[1], M, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = efc
    index.add(rows)
    index.hnsw.efSearch = ef
    return index.search(rows, wanted)[1]


def hnswlib(rows, wanted, threads, M, efc, ef):
    import hnswlib
    import numpy as np

    index = hnswlib.Index(space="ip", dim=rows.shape[1])
    index.init_index(max_elements=len(rows), M=M, ef_construction=efc, random_seed=1)
    index.set_num_threads(threads)
    index.add_items(rows, np.arange(len(rows)))
    index.set_ef(max(ef, wanted))
    return index.knn_query(rows, k=wanted)[0].astype(np.int64)


def usearch(rows, wanted, threads, dtype, M, efc, ef):
    import numpy as np
    from usearch.index import Index

    index = Index(ndim=rows.shape[1], metric="ip", dtype=dtype, connectivity=M, expansion_add=efc,
                  expansion_search=ef)
    index.add(np.arange(len(rows)), rows, threads=threads)
    return index.search(rows, wanted, threads=threads).keys.astype(np.int64)


def pynndescent(rows, wanted, threads, n):
    from pynndescent import NNDescent

    return NNDescent(rows, metric="dot", n_neighbors=n, n_jobs=threads, random_state=1).neighbor_graph[0]


def sklearn(rows, wanted, threads):
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=wanted, algorithm="brute", metric="euclidean", n_jobs=threads).fit(rows)
    return index.kneighbors(rows, return_distance=False)


METHODS = {"faiss-flat": (faiss_flat, "faiss-cpu"), "faiss-ivf": (faiss_ivf, "faiss-cpu"),
           "faiss-ivf-batch": (faiss_ivf_batch, "faiss-cpu"), "faiss-hnsw": (faiss_hnsw, "faiss-cpu"),
           "hnswlib": (hnswlib, "hnswlib"), "usearch": (usearch, "usearch"),
           "pynndescent": (pynndescent, "pynndescent"), "sklearn": (sklearn, "scikit-learn")}
EXACT = ("faiss-flat", "sklearn")


def read_groups(spec: str) -> list:
    """The rows of each group; `spec` is FILE.tsv:COLUMN or a .npy of integers."""
    import numpy as np

    path, _, column = spec.rpartition(":")
    if path:
        with open(path, encoding="utf-8") as file:
            place = next(file).rstrip("\n").split("\t").index(column)
            names = [line.rstrip("\n").split("\t")[place] for line in file]
    else:
        names = np.load(spec).tolist()
    code_of: dict = {}
    codes = np.fromiter((code_of.setdefault(name, len(code_of)) for name in names), np.int64, len(names))
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])


def normalised(vectors, rows=None):
    """As float32 rows of length 1, in parts small enough to stay in the cache; `rows`: only these."""
    import numpy as np

    out = np.empty((len(vectors) if rows is None else len(rows), vectors.shape[1]), np.float32)
    for first in range(0, len(out), 8192):
        part = out[first:first + 8192]
        part[:] = vectors[first:first + 8192] if rows is None else vectors[rows[first:first + 8192]]
        part /= np.sqrt(np.einsum("ij,ij->i", part, part))[:, None]
    return out


def without_itself(found, k: int):
    """The first k of each row's that are neither the row nor a gap (negative); -1 where there are fewer."""
    import numpy as np

    own = (found == np.arange(len(found))[:, None]) | (found < 0)
    order = np.argsort(own, axis=1, kind="stable")[:, :k]
    kept = np.take_along_axis(found, order, axis=1).astype(np.int64)
    kept[np.take_along_axis(own, order, axis=1)] = -1
    if kept.shape[1] < k:
        kept = np.pad(kept, ((0, 0), (0, k - kept.shape[1])), constant_values=-1)
    return np.ascontiguousarray(kept)


def link_groups(vectors, groups: list, k: int, threads: int, way: str, search, knobs: dict):
    import numpy as np

    targets = np.full((len(vectors), k), -1, np.int64)

    def link(rows) -> None:
        if len(rows) < 2:
            return
        small = len(rows) < LEAST_APPROXIMATE
        wanted = min(k + 1, len(rows))
        part = normalised(vectors, rows)
        inner = 1 if way == "groups" else threads
        found = np.asarray(faiss_flat(part, wanted, inner) if small and search is not sklearn
                           else search(part, wanted, inner, **knobs))
        kept = without_itself(found, k)
        targets[rows] = np.where(kept < 0, -1, rows[kept])

    if way == "inside":
        for rows in groups:
            link(rows)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(link, sorted(groups, key=len, reverse=True)))
    return targets


def memory(field: str) -> int:
    """VmRSS or VmHWM of this process in bytes; 0 where the system does not tell."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # then the peak is that of the whole process


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="rows in a .npy file")
    parser.add_argument("--groups-file", help="FILE.tsv:COLUMN, or a .npy of integers; without it all are one group")
    parser.add_argument("--way", choices=["groups", "inside"], default="inside")
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--knobs", default="", help="NAME=VALUE,NAME=VALUE")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("-k", type=int, default=15)
    parser.add_argument("--save", help="file for the neighbors: k int64 a row, -1 for none")
    arguments = parser.parse_args()

    # The BLAS and OpenMP inside the wheels, and numba, read these once, when they are loaded.
    inner = 1 if arguments.way == "groups" else arguments.threads
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(inner)
    import numpy as np

    vectors = np.load(arguments.file)
    groups = read_groups(arguments.groups_file) if arguments.groups_file else None
    search, package = METHODS[arguments.method]
    knobs = parsed(arguments.knobs)
    # Importing, and compiling: another size of rows compiles nothing more.
    first = normalised(vectors[:WARM_UP if arguments.method == "pynndescent" else 300])
    search(first, min(arguments.k + 1, len(first)), inner, **{**knobs, **({"nlist": 1} if "nlist" in knobs else {})})

    forget_peak()
    before = memory("VmRSS")
    used = os.times()
    begun = time.perf_counter()
    if groups is None:
        rows = normalised(vectors)
        targets = without_itself(np.asarray(search(rows, arguments.k + 1, arguments.threads, **knobs)), arguments.k)
    else:
        targets = link_groups(vectors, groups, arguments.k, arguments.threads, arguments.way, search, knobs)
    core = time.perf_counter() - begun
    after = os.times()
    peak = memory("VmHWM")
    if arguments.save:
        targets.tofile(arguments.save)
    json.dump({"core": core, "cpu": after.user + after.system - used.user - used.system, "peak_memory_bytes": peak,
               "memory_before_bytes": before, "versions": {package: version(package)}}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
