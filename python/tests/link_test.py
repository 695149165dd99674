"""grouplink.link on arrays: results, options, errors."""

from __future__ import annotations

import json
import pathlib
import tracemalloc

import numpy as np
import pytest
from conftest import brute_force

import grouplink
from grouplink import _core
from grouplink._rows import rows_of


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_links_are_those_of_brute_force(dtype):
    rows = np.random.default_rng(1).integers(-100, 100, (120, 7)).astype(dtype)
    links = grouplink.link(rows, n_nearest=4, metric="euclidean")
    near, far = brute_force(rows, 4)
    assert links.targets.reshape(-1, 4).tolist() == near.tolist()
    np.testing.assert_allclose(links.weights.reshape(-1, 4), 1 / (1 + far), rtol=1e-6)
    assert links.offsets.tolist() == list(range(0, 481, 4))
    assert (links.offsets.dtype, links.targets.dtype, links.weights.dtype) == (np.int64, np.int64, np.float32)


def test_groups_keep_apart():
    rows = np.random.default_rng(2).standard_normal((200, 5), np.float32)
    groups = np.arange(200) % 3
    links = grouplink.link(rows, groups, n_nearest=3)
    sources = np.repeat(np.arange(200), np.diff(links.offsets))
    assert (groups[sources] == groups[links.targets]).all()
    for group in range(3):
        alone = grouplink.link(rows[groups == group], n_nearest=3)
        inside = np.flatnonzero(groups == group)
        of_group = np.isin(sources, inside)
        assert links.targets[of_group].tolist() == inside[alone.targets].tolist()
        assert links.weights[of_group].tobytes() == alone.weights.tobytes()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(vectors, groups, threads):
    links = grouplink.link(vectors, groups, n_nearest=5, threads=threads)
    wanted = grouplink.link(vectors, groups, n_nearest=5, threads=3)
    assert links.targets.tobytes() == wanted.targets.tobytes()
    assert links.weights.tobytes() == wanted.weights.tobytes()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_contiguous_arrays_are_borrowed(dtype):
    rows = np.ones((50, 8), dtype)
    assert rows_of(rows).address == rows.ctypes.data
    rows.flags.writeable = False
    assert rows_of(rows).address == rows.ctypes.data
    assert rows_of(rows[10:]).address == rows[10:].ctypes.data
    assert rows_of(rows).dtype == np.dtype(dtype).name


@pytest.mark.parametrize(
    "view",
    [
        lambda rows: rows[:, ::2],
        lambda rows: rows[::-1],
        np.asfortranarray,
        lambda rows: rows.astype(rows.dtype.newbyteorder()),
    ],
)
def test_other_arrays_are_copied(view):
    rows = view(np.random.default_rng(3).standard_normal((60, 8), np.float32))
    links = grouplink.link(rows, n_nearest=3)
    wanted = grouplink.link(np.ascontiguousarray(rows, np.float32), n_nearest=3)
    assert links.targets.tolist() == wanted.targets.tolist()


def test_nothing_as_large_as_the_input_is_allocated():
    rows = np.ones((20_000, 256), np.float32)
    tracemalloc.start()
    before = peak_kib()
    assert rows_of(rows).address == rows.ctypes.data
    grown = peak_kib() - before
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < rows.nbytes / 10
    assert grown * 1024 < rows.nbytes / 2


def peak_kib() -> int:
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def test_results_are_arrays_over_the_engines_memory():
    links = grouplink.link(np.eye(4, dtype=np.float32), n_nearest=2)
    assert links.targets.ctypes.data == links._result.targets.ctypes.data
    offsets, targets = links.offsets, links.targets
    kept = targets.copy(), offsets.copy()
    del links
    assert (targets == kept[0]).all() and (offsets == kept[1]).all()


def test_to_scipy_shares_the_weights():
    links = grouplink.link(np.random.default_rng(4).standard_normal((30, 4)), n_nearest=3)
    matrix = links.to_scipy()
    assert matrix.shape == (30, 30) and matrix.nnz == len(links) == 90
    assert np.shares_memory(matrix.data, links.weights)
    assert matrix.indices.tolist() == links.targets.tolist()


def test_what_links_tell_of_themselves(vectors, groups):
    links = grouplink.link(vectors, groups, n_nearest=2)
    assert repr(links) == f"<grouplink.Links: 10,528 links of 5,264 rows in {len(set(groups))} groups>"
    assert links.report["links"] == len(links)
    assert [group["key"] for group in links.report["groups"]] == list(dict.fromkeys(groups))
    assert links.to_html().startswith("<!DOCTYPE html>")
    assert "srcdoc" in links._repr_html_()
    targets, weights = links.neighbors(7)
    assert targets.tolist() == links.targets[14:16].tolist() and len(weights) == 2
    with pytest.raises(IndexError, match="row: got -1"):
        links.neighbors(-1)


def test_bad_rows():
    rows = np.ones((5, 2))
    rows[1] = np.nan
    rows[3] = 0
    text = '^2 of 5 rows cannot be linked: 1 non_finite .row 1., 1 zero_norm .*: on_bad_row="drop"$'
    with pytest.raises(ValueError, match=text):
        grouplink.link(rows)
    links = grouplink.link(rows, ["a", "a", None, "a", "a"], on_bad_row="drop")
    status = [grouplink.ROW_STATUSES[status] for status in links.row_status]
    assert status == ["ok", "non_finite", "null_group", "zero_norm", "ok"]
    assert links.targets.tolist() == [4, 0]


def test_no_rows_and_one_row():
    assert len(grouplink.link(np.empty((0, 3), np.float32))) == 0
    assert len(grouplink.link(np.ones((1, 3)))) == 0


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"metric": "cosine"},
            ValueError,
            'metric: got "cosine", wants angular, euclidean, .* did you mean angular?',
        ),
        ({"links": "mutal"}, ValueError, 'links: got "mutal", .*; did you mean mutual?'),
        ({"n_nearest": 0}, ValueError, "n_nearest: got 0, must be at least 1"),
        ({"n_nearest": 2.5}, TypeError, "n_nearest: got 2.5, wants a whole number"),
        ({"n_nearest": True}, TypeError, "n_nearest: got True"),
        ({"n_nearest": 2**70}, ValueError, "n_nearest: got 11805"),
        ({"seed": -1}, ValueError, "seed: got -1, must be from 0"),
        ({"similarity_min": "x"}, TypeError, "similarity_min: got 'x', wants a number"),
        ({"similarity_min": float("nan")}, ValueError, "similarity_min: got nan, must be a finite number"),
        ({"similarity_min_q": 1.5}, ValueError, "similarity_min_q: got 1.5, must be a quantile"),
        ({"metric": 3}, TypeError, "metric: got 3, wants a str"),
        (
            {"metric": "dot", "similarity": "cosine"},
            ValueError,
            'similarity: "cosine" needs metric "angular"',
        ),
        ({"nlist": 4}, ValueError, 'nlist goes with index "ivf" only, got index "auto"'),
        ({"index": "hnsw", "hnsw_m": 1}, ValueError, "M: got 1, must be from 2 to 512"),
        ({"threads": -2}, ValueError, "threads: got -2"),
        ({"recall_target": 0}, ValueError, "recall_target: got 0, must be above 0"),
        ({"progress": 3}, TypeError, "progress: got 3"),
    ],
)
def test_wrong_options(options, error, text):
    with pytest.raises(error, match=text):
        grouplink.link(np.ones((3, 2)), **options)


def test_every_option_reaches_the_engine():
    rows = np.random.default_rng(5).standard_normal((3000, 8), np.float32)
    options = {
        "n_nearest": 4,
        "metric": "euclidean",
        "similarity_min": 0.1,
        "similarity_min_q": 0.2,
        "quantile_scope": "group",
        "similarity": "angular",
        "links": "mutual",
        "recall_target": 0.9,
        "on_bad_row": "drop",
        "seed": 2**63,
        "threads": 2,
    }
    knobs = {
        "ivf": {"nlist": 20, "nprobe": 5},
        "hnsw": {"hnsw_m": 8, "ef_construction": 20, "ef_search": 30},
        "partition": {"passes": 2, "fanout": 2, "refinements": 1},
    }
    for index, given in knobs.items():
        used = grouplink.link(rows, index=index, **options, **given).report["options"]
        wanted = {**options, "index": index, **given}
        if "hnsw_m" in wanted:
            wanted["M"] = wanted.pop("hnsw_m")
        assert used == wanted


def test_unknown_options_are_named():
    with pytest.raises(TypeError, match="there is no option 'n_neares'; did you mean n_nearest?"):
        grouplink.link_table({"v": np.ones((3, 2))}, embedding="v", n_neares=3)


@pytest.mark.parametrize(
    ("rows", "error", "text"),
    [
        (np.ones(4), ValueError, "vectors: got an array of 1 dimensions, wants 2"),
        (np.ones((2, 2, 2)), ValueError, "vectors: got an array of 3"),
        (np.ones((2, 2), np.int64), TypeError, "vectors: got components of int64, wants float16"),
        (np.ones((2, 2), complex), TypeError, "vectors: got components of complex128"),
        (np.ones((2, 0)), ValueError, "vectors: dim is 0"),
        ([["a", "b"]], TypeError, "vectors: got components of <U1"),
    ],
)
def test_wrong_vectors(rows, error, text):
    with pytest.raises(error, match=text):
        grouplink.link(rows)


def test_lists_of_arrays():
    rows = [np.array([1.0, 0]), None, [0.9, 0.1], np.array([1, 2, 3.0]), [], [3, 2, 1]]
    links = grouplink.link(rows, [0, 0, 0, 1, 1, 1], n_nearest=1, on_bad_row="drop")
    assert links.targets.tolist() == [2, 0, 5, 3]
    status = [grouplink.ROW_STATUSES[status] for status in links.row_status]
    assert status == ["ok", "null_embedding", "ok", "ok", "null_embedding", "ok"]


def test_what_gives_an_array_is_borrowed():
    class Tensor:
        def __init__(self, array):
            self.array = array

        def __array__(self, dtype=None, copy=None):
            return self.array

    array = np.ones((4, 3), np.float32)
    assert rows_of(Tensor(array)).address == array.ctypes.data


def test_explain_and_verify(vectors, groups):
    plan = grouplink.explain(vectors, groups, n_nearest=3)
    assert 0 < plan["memory"]["planned_bytes"] <= plan["memory"]["budget_bytes"]
    assert plan["memory"]["waves"] == 1
    assert plan["rows"] == len(vectors) and plan["row_status"]["ok"] == len(vectors)
    assert {group["key"] for group in plan["groups"]} == set(groups)
    links = grouplink.link(vectors, groups, n_nearest=3)
    result = grouplink.verify(vectors, links, groups, sample=200)
    assert result["ok"] and result["recall"]["recall"] == 1
    links.weights[5] += 0.01
    result = grouplink.verify(vectors, links, groups, sample=0)
    assert not result["ok"] and result["recall"] is None
    json.dumps(result)


def test_find_nearest_is_brute_force():
    random = np.random.default_rng(6)
    base = random.standard_normal((500, 9), np.float32)
    queries = np.concatenate([random.standard_normal((70, 9), np.float32), base[:3]])
    targets, distances = _core.find_nearest(
        rows_of(queries), rows_of(base), {"n_nearest": 6, "metric": "euclidean"}
    )
    exact = np.sqrt(((queries[:, None].astype(float) - base[None].astype(float)) ** 2).sum(axis=2))
    wanted = np.argsort(exact, axis=1, kind="stable")[:, :6]
    assert targets.tolist() == wanted.tolist()
    np.testing.assert_allclose(distances, np.take_along_axis(exact, wanted, axis=1), rtol=1e-6, atol=1e-7)

    own = np.arange(500)
    targets, distances = _core.find_nearest(rows_of(base), rows_of(base), {"n_nearest": 6}, own)
    links = grouplink.link(base, n_nearest=6, index="flat")
    assert targets.ravel().tolist() == links.targets.tolist()


@pytest.mark.parametrize(
    ("queries", "base", "own", "text"),
    [
        (np.ones((2, 3)), np.ones((4, 2)), None, "queries: dim is 3, but the rows of the base have 2"),
        (np.ones((2, 2), np.float32), np.ones((4, 2)), None, "queries: are of another element type"),
        (np.ones((2, 2)), np.zeros((4, 2)), None, "base: 4 of 4 rows cannot be linked"),
        (np.ones((2, 2)), np.ones((4, 2)), np.array([1]), "own: 1 rows for 2 queries"),
        (np.ones((2, 2)), np.ones((4, 2)), np.array([1, 4]), "own: query 1 has row 4"),
    ],
)
def test_find_nearest_refuses(queries, base, own, text):
    with pytest.raises(ValueError, match=text):
        _core.find_nearest(rows_of(queries), rows_of(base), {}, own)
