"""A transformer for scikit-learn: rows to the graph of their nearest rows of the same group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from grouplink import _core
from grouplink._groups import groups_of
from grouplink._rows import rows_of

# How scikit-learn calls the distances that it has in common with the engine.
_METRICS: Mapping[str, Literal["angular", "euclidean", "manhattan", "hamming"]] = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "cityblock": "manhattan",
    "l1": "manhattan",
    "cosine": "angular",
    "angular": "angular",
    "hamming": "hamming",
}
_DTYPES = (np.float64, np.float32, np.float16, np.int8)


class KNeighborsGraph(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Transform rows into a sparse graph of their nearest rows of the same group.

    What `sklearn.neighbors.KNeighborsTransformer` does, with groups, by all cores. The graph can be the
    precomputed input of DBSCAN, Isomap, TSNE, SpectralClustering, UMAP and the like.

    Parameters
    ----------
    n_neighbors : int
        Neighbours of a row. As in scikit-learn, mode "distance" has one more, for each row of the fitted data
        is its own neighbour at distance 0. A row has fewer where its group has no more.
    mode : {"distance", "connectivity"}
        Distances, or ones.
    metric : {"euclidean", "l2", "manhattan", "cityblock", "l1", "cosine", "angular", "hamming"}
        "cosine" is 1 - cos; "angular" is sqrt(2 - 2 cos); "hamming" is the share of components of which just
        one of the two is above 0.5.
    index : {"auto", "flat", "ivf", "hnsw", "partition"}
        How neighbours among the fitted rows are searched; all but "flat" may miss some in large groups.
    recall_target : float
        Share of the exact neighbours that an approximate group is to find.
    seed : int
        What everything random derives from.
    threads : int
        0 takes all there are; the result is the same at any number.

    Attributes
    ----------
    n_samples_fit_ : int
        Rows of the fitted data, which are the columns of the graph.
    n_features_in_ : int
        Components of a row.

    Notes
    -----
    Groups go to `fit`, `fit_transform` and `transform` as ``groups``, in a Pipeline by metadata routing:
    ``KNeighborsGraph().set_fit_request(groups=True).set_transform_request(groups=True)``. A graph has links
    within groups only; None is no group. Rows are sorted by distance.
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        mode: Literal["distance", "connectivity"] = "distance",
        metric: str = "euclidean",
        index: Literal["auto", "flat", "ivf", "hnsw", "partition"] = "auto",
        recall_target: float = 0.95,
        seed: int = 0,
        threads: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.mode = mode
        self.metric = metric
        self.index = index
        self.recall_target = recall_target
        self.seed = seed
        self.threads = threads

    def fit(self, X: Any, y: Any = None, groups: Any = None) -> KNeighborsGraph:
        """Keep the rows among which neighbours are searched.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
        y : ignored
        groups : sequence of n_samples str, int or None, optional

        Returns
        -------
        KNeighborsGraph
        """
        self._check_parameters()
        self._fit_X = validate_data(self, X, dtype=_DTYPES, order="C")
        if _METRICS[self.metric] == "angular":
            for row in np.flatnonzero(~self._fit_X.any(axis=1))[:1]:
                raise ValueError(f"X: row {row} is all zeros, which has no angle")
        self._fit_groups = _checked_groups(groups, len(self._fit_X))
        self.n_samples_fit_ = len(self._fit_X)
        return self

    def transform(self, X: Any, groups: Any = None) -> sparse.csr_matrix:
        """The nearest fitted rows of new rows, searched exactly.

        Parameters
        ----------
        X : array of shape (n_queries, n_features)
        groups : sequence of n_queries str, int or None, optional
            Needed where the fitted rows have groups: a row's neighbours are the fitted rows of its group.

        Returns
        -------
        csr_matrix of shape (n_queries, n_samples_fit_)
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=self._fit_X.dtype, order="C", reset=False)
        queries = _checked_groups(groups, len(X))
        if (queries is None) != (self._fit_groups is None):
            raise ValueError("groups: give them to both fit and transform, or to neither")
        options = self._options(self.n_neighbors + (self.mode == "distance"))
        if queries is None or self._fit_groups is None:
            parts = [(np.arange(len(X)), np.arange(self.n_samples_fit_))]
        else:
            parts = list(_rows_of_groups(queries, self._fit_groups))
        found = []
        for rows, base in parts:
            whole = len(rows) == len(X), len(base) == self.n_samples_fit_
            near, far = _core.find_nearest(
                rows_of(X if whole[0] else X[rows]),
                rows_of(self._fit_X if whole[1] else self._fit_X[base]),
                options,
            )
            found.append((rows, base[near], far))
        counts = np.zeros(len(X) + 1, np.int64)
        for rows, near, _ in found:
            counts[rows + 1] = near.shape[1]
        offsets = np.cumsum(counts)
        targets = np.empty(offsets[-1], np.int64)
        distances = np.empty(offsets[-1], np.float32)
        for rows, near, far in found:
            places = offsets[rows, np.newaxis] + np.arange(near.shape[1])
            targets[places] = near
            distances[places] = far
        return self._graph(offsets, targets, distances)

    def fit_transform(self, X: Any, y: Any = None, groups: Any = None) -> sparse.csr_matrix:
        """The graph of the fitted rows.

        The same as ``fit(X).transform(X)``, but by a search of all rows at once, and each row's own entry
        before those of its duplicates.
        """
        self.fit(X, groups=groups)
        own = self.mode == "distance"
        options = self._options(self.n_neighbors if own else max(1, self.n_neighbors - 1))
        coded = _core.single_group(self.n_samples_fit_) if self._fit_groups is None else self._fit_groups
        rows = rows_of(self._fit_X)
        offsets, targets, distances = _core.neighbors(rows, coded, {**options, "on_bad_row": "drop"})
        return self._graph(*self._with_own(offsets, targets, distances, coded))

    def _with_own(
        self,
        offsets: npt.NDArray[np.int64],
        targets: npt.NDArray[np.int64],
        distances: npt.NDArray[np.float32],
        groups: _core.Groups,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Each row that has a group as its own neighbour, before all others."""
        rows = np.flatnonzero(groups.codes >= 0)
        counts = np.diff(offsets)
        if self.n_neighbors == 1 and self.mode == "connectivity":
            counts[:] = 0
            targets, distances = targets[:0], distances[:0]
        longer = counts + (groups.codes >= 0)
        ends = np.concatenate([[0], np.cumsum(longer)])
        is_own = np.zeros(ends[-1], bool)
        is_own[ends[rows]] = True
        near = np.empty(ends[-1], np.int64)
        far = np.zeros(ends[-1], np.float32)
        near[is_own], near[~is_own] = rows, targets
        far[~is_own] = distances
        return ends, near, far

    def _graph(
        self,
        offsets: npt.NDArray[np.int64],
        targets: npt.NDArray[np.int64],
        distances: npt.NDArray[np.float32],
    ) -> sparse.csr_matrix:
        if self.mode == "connectivity":
            data = np.ones(len(targets))
        else:
            data = distances.astype(np.float64)
            if self.metric == "cosine":
                data = data**2 / 2
            elif self.metric == "hamming":
                data /= self.n_features_in_
        return sparse.csr_matrix((data, targets, offsets), shape=(len(offsets) - 1, self.n_samples_fit_))

    def _check_parameters(self) -> None:
        if self.mode not in ("distance", "connectivity"):
            raise ValueError(f'mode: got "{self.mode}", wants distance or connectivity')
        if self.metric not in _METRICS:
            raise ValueError(f'metric: got "{self.metric}", wants one of {", ".join(_METRICS)}')
        _core.check_options(self._options(self.n_neighbors))

    def _options(self, n_nearest: int) -> dict[str, object]:
        return {
            "n_nearest": n_nearest,
            "metric": _METRICS[self.metric],
            "index": self.index,
            "recall_target": self.recall_target,
            "seed": self.seed,
            "threads": self.threads,
        }

    @property
    def _n_features_out(self) -> int:
        return int(self.n_samples_fit_)


def _checked_groups(groups: Any, rows: int) -> _core.Groups | None:
    if groups is None:
        return None
    coded = groups_of(groups, rows)
    if len(coded) != rows:
        raise ValueError(f"groups: got {len(coded)} for {rows} rows; there must be one a row")
    return coded


def _rows_of_groups(
    queries: _core.Groups, fitted: _core.Groups
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """The queries and the fitted rows of each group that both have."""
    place = {key: code for code, key in enumerate(fitted.keys)}
    by_query, by_fitted = _sorted_rows(queries), _sorted_rows(fitted)
    return [(by_query[code], by_fitted[place[key]]) for code, key in enumerate(queries.keys) if key in place]


def _sorted_rows(groups: _core.Groups) -> list[npt.NDArray[np.int64]]:
    """The rows of each group, ascending."""
    order = np.argsort(groups.codes, kind="stable")
    firsts = np.searchsorted(groups.codes[order], np.arange(len(groups.keys) + 1))
    return [order[first:last] for first, last in zip(firsts[:-1], firsts[1:])]
