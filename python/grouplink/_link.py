"""`grouplink.link`, `link_table`, `explain` and `verify`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grouplink import _core
from grouplink._arrow import arrow_of, place_of, vectors_place
from grouplink._groups import groups_of
from grouplink._ids import as_ids, ids_of
from grouplink._links import Links
from grouplink._options import (
    BadRowPolicy,
    IndexKind,
    LinkMode,
    LinkOptions,
    Metric,
    QuantileScope,
    Similarity,
)
from grouplink._progress import Progress, callback_of
from grouplink._rows import rows_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


def link(
    vectors: Any,
    groups: Any = None,
    *,
    n_nearest: int = 15,
    metric: Metric = "angular",
    similarity: Similarity = "angular",
    similarity_min: float = 0.0,
    similarity_min_q: float = 0.0,
    quantile_scope: QuantileScope = "all",
    links: LinkMode = "directed",
    index: IndexKind = "auto",
    recall_target: float = 0.95,
    nlist: int | None = None,
    nprobe: int | None = None,
    hnsw_m: int | None = None,
    ef_construction: int | None = None,
    ef_search: int | None = None,
    passes: int | None = None,
    fanout: int | None = None,
    refinements: int | None = None,
    on_bad_row: BadRowPolicy = "error",
    seed: int = 0,
    threads: int = 0,
    memory: int = 0,
    ids: Any = None,
    progress: Progress = None,
) -> Links:
    """Link each row to its most similar rows of the same group.

    Parameters
    ----------
    vectors : array of shape (n_rows, dim), or a column of lists
        Embeddings of float16, float32, float64 or int8. A C-contiguous array, and one chunk of an Arrow
        column, are read where they lie; a strided array, several chunks, and a list of arrays are copied
        once. Arrow columns, of anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``, are list,
        large_list or fixed_size_list; a null is a row without an embedding. Rows of lists may differ in
        length between groups.
    groups : sequence of n_rows str, int or None, optional
        A list, an array, a pandas Series or an Arrow column, a dictionary of strings among them; None or null
        is no group. All rows are one group where none are given.
    n_nearest : int
        Links of a row at most.
    metric : {"angular", "euclidean", "manhattan", "hamming", "dot"}
    similarity : {"angular", "half-cosine", "cosine"}
        How an angular distance d becomes a weight: 1 - d/2, (1 + cos)/2 or max(0, cos).
    similarity_min : float
        Keep links whose weight is this or more.
    similarity_min_q : float
        Keep links whose weight is this quantile of all weights or more, from 0 to 1.
    quantile_scope : {"all", "group"}
        Take that quantile over all links or by group.
    links : {"directed", "mutual", "symmetric"}
        Each row's own links, those found in both directions, or those found in either, at both rows.
    index : {"auto", "flat", "ivf", "hnsw", "partition"}
        How neighbours are searched; all but flat, which is exact, may miss some in large groups.
    recall_target : float
        Share of the exact links that an approximate group is to find, above 0 and up to 1.
    nlist, nprobe : int, optional
        Knobs of "ivf"; hnsw_m, ef_construction, ef_search of "hnsw"; passes, fanout, refinements of
        "partition".
    on_bad_row : {"error", "drop"}
        Whether rows that cannot be linked stop the job, or are left without links.
    seed : int
        What everything random derives from.
    threads : int
        0 takes all there are; the result is the same at any number.
    memory : int
        Bytes that the process may hold at its peak, what it holds already included; 0 takes 80 % of what it
        may have. The result is the same under any.
    ids : sequence of n_rows str or int, optional
        Names of the rows for `Links.to_arrow` and `Links.to_pandas`.
    progress : callable or bool, optional
        Called from this thread as ``progress(stage, done, total)`` some times a second; what it raises stops
        the job. True shows a bar of tqdm.

    Returns
    -------
    Links

    Raises
    ------
    ValueError
        An option out of range, or data that cannot be linked as it is.
    TypeError
        Data or an option of a type that is not taken.
    MemoryError
        Memory that is not to be had.
    KeyboardInterrupt
        Ctrl-C stops the job within about a tenth of a second.
    """
    options: LinkOptions = {
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
        "memory": memory,
    }
    _core.check_options(options)
    rows = rows_of(vectors)
    coded = groups_of(groups, len(rows))
    return _run(rows, coded, ids_of(ids, len(rows)), options, progress)


def link_table(
    table: Any,
    *,
    embedding: str | None = None,
    group: str | None = None,
    id: str | None = None,
    progress: Progress = None,
    **options: Unpack[LinkOptions],
) -> Links:
    """Link the rows of a table, whose columns are given by name.

    Parameters
    ----------
    table : a table of pyarrow, polars, DuckDB or pandas, or a dict of columns
        Anything with ``__arrow_c_stream__`` or ``__arrow_c_array__``, or that gives a column as
        ``table[name]``.
    embedding : str, optional
        Column of the vectors; the only column of float lists where there is just one.
    group : str, optional
        Column of the groups; all rows are one group where it is missing.
    id : str, optional
        Column of the rows' names, by which `Links.to_arrow` and `Links.to_pandas` name them.
    progress, **options
        As in `link`.

    Returns
    -------
    Links
    """
    _core.check_options(options)
    data = arrow_of(table)
    if data is None:
        return _link_columns(table, embedding, group, id, options, progress)
    if not data.is_table:
        raise TypeError("table: got a column, wants a table; grouplink.link takes columns")
    rows = _core.rows_of_arrow(data, vectors_place(data, embedding))
    names = data.names
    if group is None:
        groups = _core.single_group(len(rows))
    else:
        groups = _core.groups_of_arrow(data, place_of(names, group, "group"))
    ids = None if id is None else as_ids(_core.ids_of_arrow(data, place_of(names, id, "id")))
    return _run(rows, groups, ids, options, progress)


def _link_columns(
    table: Any,
    embedding: str | None,
    group: str | None,
    id: str | None,
    options: LinkOptions,
    progress: Progress,
) -> Links:
    """Of a pandas DataFrame or a dict."""
    if not isinstance(table, Mapping) and not hasattr(table, "columns"):
        raise TypeError(f"table: got a {type(table).__name__}, wants a table or a dict of columns")
    names = [str(name) for name in (table if isinstance(table, Mapping) else table.columns)]
    if embedding is None:
        raise ValueError(f"embedding: name one of the columns {', '.join(names)}")
    for what, name in (("embedding", embedding), ("group", group), ("id", id)):
        if name is not None:
            place_of(names, name, what)
    rows = rows_of(table[embedding])
    groups = groups_of(None if group is None else table[group], len(rows))
    return _run(rows, groups, ids_of(None if id is None else table[id], len(rows)), options, progress)


def _run(rows: _core.Rows, groups: _core.Groups, ids: Any, options: LinkOptions, progress: Progress) -> Links:
    with callback_of(progress) as callback:
        return Links(_core.link(rows, groups, options, callback), groups, ids)


def explain(vectors: Any, groups: Any = None, **options: Unpack[LinkOptions]) -> dict[str, Any]:
    """What `link` would do, without the doing: the index, cost and memory of each group.

    The same as the command's ``explain --json``.
    """
    rows = rows_of(vectors)
    return _core.explain(rows, groups_of(groups, len(rows)), options)


def verify(
    vectors: Any,
    links: Links,
    groups: Any = None,
    *,
    sample: int = 1000,
    recall_min: float = 0.0,
    seed: int = 0,
    progress: Progress = None,
) -> dict[str, Any]:
    """Check links against the rows that they are of: invariants, each weight, and the recall of a sample.

    Parameters
    ----------
    vectors, groups
        What was linked.
    links : Links
    sample : int
        Rows that are searched exactly for the recall; 0 for none.
    recall_min : float
        Take a recall below this for a fault.
    seed : int
        What decides which rows are sampled.

    Returns
    -------
    dict
        "ok", a bool; "checks", each with "name", "result", "broken" and "first"; "recall", a dict or None.
    """
    rows = rows_of(vectors)
    with callback_of(progress) as callback:
        coded = groups_of(groups, len(rows))
        return _core.verify(rows, coded, links._result, sample, recall_min, seed, callback)
