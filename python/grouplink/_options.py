"""The options of a job, by the names of the command's flags."""

from __future__ import annotations

from typing import Literal, TypedDict

Metric = Literal["angular", "euclidean", "manhattan", "hamming", "dot"]
Similarity = Literal["angular", "half-cosine", "cosine"]
QuantileScope = Literal["all", "group"]
LinkMode = Literal["directed", "mutual", "symmetric"]
IndexKind = Literal["auto", "flat", "ivf", "hnsw", "partition"]
BadRowPolicy = Literal["error", "drop"]


class LinkOptions(TypedDict, total=False):
    """What `grouplink.link` takes by keyword beside the data; what is missing has its default."""

    n_nearest: int
    metric: Metric
    similarity: Similarity
    similarity_min: float
    similarity_min_q: float
    quantile_scope: QuantileScope
    links: LinkMode
    index: IndexKind
    recall_target: float
    nlist: int | None
    nprobe: int | None
    hnsw_m: int | None
    ef_construction: int | None
    ef_search: int | None
    passes: int | None
    fanout: int | None
    refinements: int | None
    on_bad_row: BadRowPolicy
    seed: int
    threads: int
    memory: int
