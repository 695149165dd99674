"""The same bytes as the command's."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from conftest import ROOT

import grouplink

SAMPLE = ROOT / "tests" / "data" / "sample.parquet"
# Of a report, what is of the run and not of the result.
OF_THE_RUN = {
    "input",
    "output",
    "finished",
    "stages",
    "workers",
    "seconds",
    "peak_memory_bytes",
    "threads",
    "memory",
}

CASES = [
    {},
    {"n_nearest": 4, "links": "mutual", "similarity_min_q": 0.3, "quantile_scope": "group"},
    {"links": "symmetric", "similarity": "half-cosine", "similarity_min": 0.7},
    {"metric": "euclidean", "n_nearest": 3},
    {"metric": "manhattan", "n_nearest": 3},
    {"metric": "dot", "n_nearest": 3},
    {"metric": "hamming", "n_nearest": 3, "on_bad_row": "drop"},
    {"index": "ivf", "nlist": 30, "nprobe": 4, "seed": 7},
    {"index": "partition", "passes": 2, "refinements": 1, "n_nearest": 5},
]


def flags(options):
    return [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]


def same(links, matrix):
    assert links.offsets.tolist() == matrix.indptr.tolist()
    assert links.targets.tolist() == matrix.indices.tolist()
    assert links.weights.tobytes() == matrix.data.tobytes()


@pytest.mark.parametrize(
    "options", CASES, ids=lambda options: " ".join(map(str, options.values())) or "defaults"
)
def test_links(command, vectors, groups, options):
    matrix = scipy.sparse.load_npz(command(SAMPLE, "--group", "group", *flags(options)))
    links = grouplink.link(vectors, groups, **options)
    same(links, matrix)
    assert (links.to_scipy() != matrix).nnz == 0


def test_report(command, vectors, groups, tmp_path):
    report = tmp_path / "report.json"
    command(SAMPLE, "--group", "group", "--report", report)
    wanted = json.loads(report.read_text())
    ours = grouplink.link(vectors, groups).report
    assert ours.keys() == wanted.keys()
    for name in wanted.keys() - OF_THE_RUN:
        assert ours[name] == wanted[name], name
    read_and_written = [stage["name"] for stage in wanted["stages"]][1:-1]
    assert [stage["name"] for stage in ours["stages"]] == read_and_written


def test_tables(command, sample):
    edges = pq.read_table(command(SAMPLE, "--group", "group", "--id", "word", output="edges.parquet"))
    ours = grouplink.link_table(sample, group="group", id="word").to_arrow()
    assert ours.equals(edges.cast(ours.schema))
    assert ours.schema.metadata == {
        key: value for key, value in edges.schema.metadata.items() if key == b"grouplink"
    }


def test_wordnet(command, wordnet):
    vectors, table = wordnet / "wordnet-384.f16.npy", wordnet / "wordnet.tsv"
    matrix = scipy.sparse.load_npz(command(vectors, "--groups", f"{table}:group"))
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    column = header.split("\t").index("group")
    links = grouplink.link(np.load(vectors, mmap_mode="r"), [line.split("\t")[column] for line in lines])
    same(links, matrix)
