#!/usr/bin/env python3
"""Runs jobs of several shapes under --memory: the peak that the system measured stays below the budget, the bytes
are those of a run with all the memory there is, and a budget that is too small is refused before any work, with
one that is large enough in the message.

    memory_test.py COMMAND [--parquet] [--only NAME]
"""

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

MEBIBYTE = 1 << 20
WORDNET = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclasses.dataclass
class Shape:
    name: str
    arguments: list
    output: str
    waves: bool = False  # whether the smallest budget has the groups searched in several waves


def run(command, arguments, folder, **environment):
    return subprocess.run([command, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=900,
                          env={**os.environ, **environment})


def clustered(random, rows, dim, clusters, kind):
    centers = random.standard_normal((clusters, dim))
    noise = random.standard_normal((rows, dim))
    return (centers[random.integers(0, clusters, rows)] + 0.5 * noise).astype(kind)


def write_groups(path, groups):
    path.write_text("".join(f"group {g}\n" for g in groups))


def make_arrays(folder):
    random = np.random.default_rng(3)
    np.save(folder / "many.npy", clustered(random, 50_000, 256, 300, "f2"))
    write_groups(folder / "many.txt", random.permutation(np.repeat(np.arange(40), 1250)))
    np.save(folder / "one.npy", clustered(random, 20_000, 256, 100, "f4"))
    np.save(folder / "tiny.npy", clustered(random, 120_000, 64, 1000, "f4"))
    write_groups(folder / "tiny.txt", random.permutation(120_000) % 15_000)
    rows = clustered(random, 30_000, 256, 100, "f4")
    lengths = np.full((len(rows), 1), rows.shape[1], "i4")
    np.hstack([lengths.view("f4"), rows]).tofile(folder / "rows.fvecs")
    write_groups(folder / "rows.txt", random.integers(0, 12, len(rows)))
    return rows


def make_tables(folder, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq
    topics = (folder / "rows.txt").read_text().splitlines()
    columns = {"name": [f"row {i}" for i in range(len(rows))], "topic": topics,
               "vector": pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])}
    table = pa.table(columns)
    pq.write_table(table, folder / "rows.parquet", row_group_size=len(rows))
    with pa.OSFile(str(folder / "rows.arrow"), "wb") as sink:
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)


def make_lines(folder, rows, topics):
    with open(folder / "rows.jsonl", "w") as file:
        for i, (row, topic) in enumerate(zip(rows[:8000], topics)):
            file.write(json.dumps({"name": f"row {i}", "topic": topic, "vector": [round(float(x), 4) for x in row]}))
            file.write("\n")


def shapes(parquet, wordnet):
    several = ["--groups", "many.txt"]
    yield Shape("groups of a mapped array", ["many.npy", *several], "links.npz", waves=True)
    yield Shape("symmetric links", ["many.npy", *several, "--links", "symmetric", "-k", "40"], "links.csv")
    yield Shape("one flat group", ["one.npy", "--index", "flat"], "links.npz")
    yield Shape("one partition group", ["one.npy", "--index", "partition"], "links.npz")
    yield Shape("ivf groups", ["rows.fvecs", "--groups", "rows.txt", "--index", "ivf"], "links.db", waves=True)
    yield Shape("hnsw groups", ["rows.fvecs", "--groups", "rows.txt", "--index", "hnsw"], "links.jsonl", waves=True)
    yield Shape("tiny groups", ["tiny.npy", "--groups", "tiny.txt", "--report", "report.json"], "links.npz",
                waves=True)
    yield Shape("lines of JSON", ["rows.jsonl", "--group", "topic", "--id", "name"], "links.tsv")
    if parquet:
        columns = ["--group", "topic", "--id", "name"]
        yield Shape("a Parquet table", ["rows.parquet", *columns], "links.parquet", waves=True)
        yield Shape("lists beside all columns", ["rows.parquet", *columns, "--layout", "lists"], "links.parquet")
        yield Shape("an Arrow table", ["rows.arrow", *columns], "links.arrow", waves=True)
    if wordnet:
        groups = ["--groups", f"{wordnet / 'wordnet.tsv'}:group"]
        yield Shape("WordNet in 45 groups", [wordnet / "wordnet-384.f16.npy", *groups], "links.npz", waves=True)
        yield Shape("WordNet as one group", [wordnet / "wordnet-384.f16.npy"], "links.npz")


def check(command, shape, folder):
    output = folder / shape.output

    def link(memory, threads=2):
        output.unlink(missing_ok=True)
        limits = ["--memory", memory] if memory else []
        done = run(command, ["link", *shape.arguments, "-o", output, "--threads", threads, "--json", "--force", *limits],
                   folder)
        return done, json.loads(done.stdout) if done.returncode == 0 else None

    done, free = link(None)
    assert done.returncode == 0, (shape.name, done.stderr)
    wanted = output.read_bytes()
    assert free["memory"]["waves"] == 1, free["memory"]
    assert free["peak_memory_bytes"] <= free["memory"]["planned_bytes"], (shape.name, free["memory"],
                                                                          free["peak_memory_bytes"])

    # Next to nothing: refused before any work, with what would do.
    before = sorted(os.listdir(folder))
    done, _ = link("40MiB")
    assert done.returncode == 4 and done.stdout == "" and done.stderr.count("\n") == 1, (shape.name, done)
    assert sorted(os.listdir(folder)) == [name for name in before if name != shape.output], os.listdir(folder)
    least = int(re.search(r"--memory (\d+)MiB$", done.stderr.strip()).group(1)) * MEBIBYTE

    # What it names does; so does anything between.
    figures = []
    planned = free["memory"]["planned_bytes"]
    for budget in sorted({least, (least + planned) // 2}):
        done, report = link(budget)
        assert done.returncode == 0, (shape.name, budget, done.stderr)
        peak = report["peak_memory_bytes"]
        assert peak <= budget, f"{shape.name}: peak {peak / MEBIBYTE:.1f} MiB, budget {budget / MEBIBYTE:.1f} MiB"
        assert report["memory"]["planned_bytes"] <= budget, (shape.name, report["memory"])
        assert output.read_bytes() == wanted or shape.output.endswith(".db"), f"{shape.name}: other bytes"
        figures.append((budget, peak, report["memory"]["waves"], report["seconds"] / free["seconds"]))
    if shape.waves:
        assert figures[0][2] > 1, (shape.name, figures)
    text = ", ".join(f"{peak / MEBIBYTE:.0f} of {budget / MEBIBYTE:.0f} MiB in {waves} waves ({ratio:.2f}x)"
                     for budget, peak, waves, ratio in figures)
    print(f"{shape.name}: free {free['peak_memory_bytes'] / MEBIBYTE:.0f} of {planned / MEBIBYTE:.0f} MiB; {text}")


def main():
    command = os.path.abspath(sys.argv[1])
    parquet = "--parquet" in sys.argv
    wordnet = WORDNET if (WORDNET / "wordnet-384.f16.npy").exists() else None
    if not wordnet:
        print(f"{WORDNET}: not here, so WordNet is left out")
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = make_arrays(folder)
        make_lines(folder, rows, (folder / "rows.txt").read_text().splitlines())
        if parquet:
            make_tables(folder, rows)
        count = 0
        for shape in shapes(parquet, wordnet):
            if only not in shape.name:
                continue
            check(command, shape, folder)
            count += 1
    print(f"{count} shapes kept to their budgets")


if __name__ == "__main__":
    main()
