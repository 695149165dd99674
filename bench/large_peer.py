#!/usr/bin/env python3
"""One run of another library on all rows as one group, in a process of its own; prints a JSON object.

What counts as the core: widen, normalise, index, search, drop the row itself. Run by run_large.py.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path


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


# Each takes normalised float32 rows, neighbors wanted (one more than k), threads, and its knobs, and gives a
# function that does the work and returns row numbers, a row each, nearest first, among them mostly the row
# itself. What that function does is timed, what comes before it is not.


def faiss_flat(rows, wanted, threads):
    import faiss

    def work():
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(rows)
        return index.search(rows, wanted)[1]
    return work


def faiss_ivf(rows, wanted, threads, nlist, nprobe):
    import faiss

    def work():
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], nlist, faiss.METRIC_INNER_PRODUCT)
        index.train(rows)
        index.add(rows)
        index.nprobe = nprobe
        return index.search(rows, wanted)[1]
    return work


def faiss_ivf_batch(rows, wanted, threads, nlist, nprobe):
    """List by list for all rows at once, as FAISS's own script for large batches does."""
    import faiss
    from faiss.contrib.big_batch_search import big_batch_search

    def work():
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], nlist, faiss.METRIC_INNER_PRODUCT)
        index.train(rows)
        index.add(rows)
        index.nprobe = nprobe
        with contextlib.redirect_stdout(io.StringIO()):  # it tells its progress there
            return big_batch_search(index, rows, wanted, method="knn_function", threaded=0)[1]
    return work


def faiss_hnsw(rows, wanted, threads, M, efc, ef):
    import faiss

    def work():
        index = faiss.IndexHNSWFlat(rows.shape[1], M, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = efc
        index.add(rows)
        index.hnsw.efSearch = ef
        return index.search(rows, wanted)[1]
    return work


def hnswlib(rows, wanted, threads, M, efc, ef):
    import hnswlib
    import numpy as np

    def work():
        index = hnswlib.Index(space="ip", dim=rows.shape[1])
        index.init_index(max_elements=len(rows), M=M, ef_construction=efc, random_seed=1)
        index.set_num_threads(threads)
        index.add_items(rows, np.arange(len(rows)))
        index.set_ef(max(ef, wanted))
        return index.knn_query(rows, k=wanted)[0].astype(np.int64)
    return work


def usearch(rows, wanted, threads, dtype, M, efc, ef):
    import numpy as np
    from usearch.index import Index

    def work():
        index = Index(ndim=rows.shape[1], metric="ip", dtype=dtype, connectivity=M, expansion_add=efc,
                      expansion_search=ef)
        index.add(np.arange(len(rows)), rows, threads=threads)
        return index.search(rows, wanted, threads=threads).keys.astype(np.int64)
    return work


def pynndescent(rows, wanted, threads, n, **knobs):
    from pynndescent import NNDescent

    def work(data=rows):
        return NNDescent(data, metric="dot", n_neighbors=n, n_jobs=threads, random_state=1, **knobs).neighbor_graph[0]
    # Compiles everything that the run then uses; another size of rows compiles nothing more.
    work(rows[:4000])
    return work


def sklearn(rows, wanted, threads):
    from sklearn.neighbors import NearestNeighbors

    def work():
        index = NearestNeighbors(n_neighbors=wanted, algorithm="brute", metric="euclidean", n_jobs=threads).fit(rows)
        return index.kneighbors(rows, return_distance=False)
    return work


METHODS = {"faiss-flat": (faiss_flat, "faiss-cpu"), "faiss-ivf": (faiss_ivf, "faiss-cpu"),
           "faiss-ivf-batch": (faiss_ivf_batch, "faiss-cpu"), "faiss-hnsw": (faiss_hnsw, "faiss-cpu"),
           "hnswlib": (hnswlib, "hnswlib"), "usearch": (usearch, "usearch"),
           "pynndescent": (pynndescent, "pynndescent"), "sklearn": (sklearn, "scikit-learn")}


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
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--knobs", default="", help="NAME=VALUE,NAME=VALUE")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("-k", type=int, default=15)
    parser.add_argument("--save", help="file for the neighbors: k int64 a row, -1 for none")
    arguments = parser.parse_args()

    # The BLAS and OpenMP inside the wheels, and numba, read these once, when they are loaded.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(arguments.threads)
    import numpy as np

    halves = np.load(arguments.file)
    prepare, package = METHODS[arguments.method]
    rows = np.empty(halves.shape, np.float32)
    rows[:4000] = halves[:4000]  # enough for what warms up
    rows[:4000] /= np.linalg.norm(rows[:4000], axis=1, keepdims=True)
    work = prepare(rows, arguments.k + 1, arguments.threads, **parsed(arguments.knobs))

    forget_peak()
    before = memory("VmRSS")
    used = os.times()
    begun = time.perf_counter()
    for first in range(0, len(halves), 8192):  # small enough to stay in the cache
        part = rows[first:first + 8192]
        part[:] = halves[first:first + 8192]
        part /= np.sqrt(np.einsum("ij,ij->i", part, part))[:, None]
    targets = without_itself(np.asarray(work()), arguments.k)
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
