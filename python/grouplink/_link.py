"""`grouplink.link`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Optional, Union

from grouplink import _core
from grouplink._groups import groups_of
from grouplink._links import Links
from grouplink._rows import rows_of

Progress = Union[None, bool, Callable[[str, int, int], object]]


def link(
    vectors: Any,
    groups: Any = None,
    *,
    n_nearest: int = 15,
    metric: Literal["angular", "euclidean", "manhattan", "hamming", "dot"] = "angular",
    similarity: Literal["angular", "half-cosine", "cosine"] = "angular",
    similarity_min: float = 0.0,
    similarity_min_q: float = 0.0,
    quantile_scope: Literal["all", "group"] = "all",
    links: Literal["directed", "mutual", "symmetric"] = "directed",
    index: Literal["auto", "flat", "ivf", "hnsw", "partition"] = "auto",
    recall_target: float = 0.95,
    nlist: Optional[int] = None,
    nprobe: Optional[int] = None,
    hnsw_m: Optional[int] = None,
    ef_construction: Optional[int] = None,
    ef_search: Optional[int] = None,
    passes: Optional[int] = None,
    fanout: Optional[int] = None,
    refinements: Optional[int] = None,
    on_bad_row: Literal["error", "drop"] = "error",
    seed: int = 0,
    threads: int = 0,
    ids: Any = None,
    progress: Progress = None,
) -> Links:
    """Link each row to its most similar rows of the same group."""
    options = {
        "n_nearest": n_nearest,
        "metric": metric,
        "similarity": similarity,
        "similarity_min": similarity_min,
        "similarity_min_q": similarity_min_q,
        "quantile_scope": quantile_scope,
        "links": links,
        "index": index,
        "recall_target": recall_target,
        "nlist": nlist,
        "nprobe": nprobe,
        "hnsw_m": hnsw_m,
        "ef_construction": ef_construction,
        "ef_search": ef_search,
        "passes": passes,
        "fanout": fanout,
        "refinements": refinements,
        "on_bad_row": on_bad_row,
        "seed": seed,
        "threads": threads,
    }
    _core.check_options(options)
    rows = rows_of(vectors)
    coded = groups_of(groups, len(rows))
    return Links(_core.link(rows, coded, options, progress), coded, ids)
