"""grouplink.KNeighborsGraph beside scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn.cluster import DBSCAN, SpectralClustering
from sklearn.datasets import make_blobs
from sklearn.manifold import TSNE, Isomap
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsClassifier, KNeighborsTransformer, sort_graph_by_row_values
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from grouplink import KNeighborsGraph

X, Y = make_blobs(300, 6, centers=4, random_state=0)


@parametrize_with_checks([KNeighborsGraph()])
def test_checks(estimator, check):
    check(estimator)


def same_graph(ours, theirs, **tolerance):
    assert ours.shape == theirs.shape
    assert ours.indptr.tolist() == theirs.indptr.tolist()
    assert ours.indices.tolist() == theirs.indices.tolist()
    np.testing.assert_allclose(ours.data, theirs.data, **{"rtol": 1e-6, "atol": 1e-6, **tolerance})


@pytest.mark.parametrize("metric", ["euclidean", "l2", "manhattan", "cityblock", "l1", "cosine"])
@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_graph_is_scikit_learns(metric, mode, dtype):
    rows = X.astype(dtype)
    theirs = KNeighborsTransformer(n_neighbors=7, mode=mode, metric=metric, algorithm="brute").fit(rows)
    ours = KNeighborsGraph(n_neighbors=7, mode=mode, metric=metric).fit(rows)
    wanted = theirs.transform(rows)
    same_graph(ours.transform(rows), wanted)
    same_graph(ours.fit_transform(rows), wanted)
    new = np.random.default_rng(0).standard_normal((50, 6)).astype(dtype)
    same_graph(ours.transform(new), theirs.transform(new))
    assert ours.get_feature_names_out().tolist()[:2] == ["kneighborsgraph0", "kneighborsgraph1"]


def test_hamming_of_bits():
    rows = np.random.default_rng(1).integers(0, 2, (200, 40)).astype(np.int8)
    theirs = KNeighborsTransformer(n_neighbors=4, metric="hamming", algorithm="brute").fit_transform(rows)
    ours = KNeighborsGraph(n_neighbors=4, metric="hamming").fit_transform(rows)
    np.testing.assert_allclose(ours.data.reshape(200, 5), theirs.data.reshape(200, 5), rtol=1e-6)


@pytest.mark.parametrize("kind", [list, np.array])
def test_groups_are_searched_apart(kind):
    groups = kind([f"g{i % 3}" for i in range(len(X))])
    graph = KNeighborsGraph(n_neighbors=5).fit_transform(X, groups=groups)
    graph_of_new = KNeighborsGraph(n_neighbors=5).fit(X, groups=groups).transform(X, groups=groups)
    same_graph(graph, graph_of_new)
    for group in range(3):
        rows = np.arange(group, len(X), 3)
        wanted = KNeighborsTransformer(n_neighbors=5, algorithm="brute").fit_transform(X[rows])
        same_graph(graph[rows][:, rows], wanted)
        assert graph[rows].nnz == wanted.nnz


def test_groups_of_few_rows_none_and_unknown():
    groups = ["a", "a", None, "b"]
    estimator = KNeighborsGraph(n_neighbors=3).fit(X[:4], groups=groups)
    graph = estimator.fit_transform(X[:4], groups=groups)
    assert np.diff(graph.indptr).tolist() == [2, 2, 0, 1]
    graph = estimator.transform(X[4:8], groups=["b", "c", None, "a"])
    assert np.diff(graph.indptr).tolist() == [1, 0, 0, 2]
    assert graph.shape == (4, 4)
    with pytest.raises(ValueError, match="groups: give them to both fit and transform"):
        estimator.transform(X[:4])
    with pytest.raises(ValueError, match="groups: got 1 for 4 rows"):
        estimator.fit(X[:4], groups=["a"])


def test_duplicates_come_after_the_row_itself():
    rows = np.repeat(X[:10], 4, axis=0)
    graph = KNeighborsGraph(n_neighbors=3).fit_transform(rows)
    assert graph.indices.reshape(40, 4)[:, 0].tolist() == list(range(40))
    assert (graph.data == 0).all() and graph.nnz == 160


def test_connectivity_of_one():
    graph = KNeighborsGraph(n_neighbors=1, mode="connectivity").fit_transform(X)
    assert graph.indices.tolist() == list(range(len(X))) and (graph.data == 1).all()


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ({"mode": "x"}, ValueError, 'mode: got "x", wants distance or connectivity'),
        ({"metric": "dot"}, ValueError, 'metric: got "dot", wants one of euclidean'),
        ({"n_neighbors": 0}, ValueError, "n_nearest: got 0"),
        ({"index": "tree"}, ValueError, 'index: got "tree"'),
    ],
)
def test_wrong_parameters(parameters, error, text):
    with pytest.raises(error, match=text):
        KNeighborsGraph(**parameters).fit(X)


def test_rows_without_an_angle():
    with pytest.raises(ValueError, match="X: row 1 is all zeros, which has no angle"):
        KNeighborsGraph(metric="cosine").fit(np.array([[1.0, 0], [0, 0]]))


def test_in_a_pipeline_by_metadata_routing():
    groups = np.arange(len(X)) % 2
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = KNeighborsGraph().set_fit_request(groups=True).set_transform_request(groups=True)
        pipeline = make_pipeline(StandardScaler(), estimator)
        graph = pipeline.fit_transform(X, groups=groups)
        same_graph(pipeline.transform(X, groups=groups), graph)
    sources, targets = graph.nonzero()
    assert (groups[sources] == groups[targets]).all()


def test_dbscan():
    graph = KNeighborsGraph(n_neighbors=40).fit_transform(X)
    labels = DBSCAN(eps=2.5, min_samples=5, metric="precomputed").fit_predict(graph)
    wanted = DBSCAN(eps=2.5, min_samples=5).fit_predict(X)
    assert labels.tolist() == wanted.tolist()


def test_isomap():
    rows = np.random.default_rng(2).standard_normal((300, 6))
    consumer = Isomap(n_neighbors=20, metric="precomputed")
    found = make_pipeline(KNeighborsGraph(n_neighbors=30), consumer).fit_transform(rows)
    theirs = KNeighborsTransformer(n_neighbors=30, algorithm="brute")
    wanted = make_pipeline(theirs, consumer).fit_transform(rows)
    np.testing.assert_allclose(pairwise_distances(found), pairwise_distances(wanted), rtol=1e-4, atol=1e-4)


def test_tsne():
    # What it ends at turns on the last digit of a distance: how well, it must not.
    rows = X[:150]
    tsne = TSNE(metric="precomputed", init="random", perplexity=10, random_state=0, max_iter=250)
    found = tsne.fit(KNeighborsGraph(n_neighbors=31).fit_transform(rows)).kl_divergence_
    theirs = KNeighborsTransformer(n_neighbors=31, algorithm="brute").fit_transform(rows)
    assert found == pytest.approx(tsne.fit(theirs).kl_divergence_, rel=0.1)


@pytest.mark.filterwarnings("ignore:Graph is not fully connected")
def test_spectral_clustering():
    graph = KNeighborsGraph(n_neighbors=15).fit_transform(X)
    cluster = SpectralClustering(4, affinity="precomputed_nearest_neighbors", n_neighbors=15, random_state=0)
    labels = cluster.fit_predict(graph)
    assert len(set(zip(labels, Y))) == 4


def test_classifier():
    pipeline = make_pipeline(
        KNeighborsGraph(n_neighbors=9), KNeighborsClassifier(n_neighbors=5, metric="precomputed")
    ).fit(X[:200], Y[:200])
    wanted = KNeighborsClassifier(n_neighbors=5).fit(X[:200], Y[:200]).predict(X[200:])
    assert pipeline.predict(X[200:]).tolist() == wanted.tolist()


def test_rows_are_sorted_as_consumers_want_them():
    graph = KNeighborsGraph(n_neighbors=10).fit_transform(X)
    assert sort_graph_by_row_values(graph, warn_when_not_sorted=True) is graph


@pytest.mark.filterwarnings("ignore")
def test_umap_like():
    """UMAP takes rows of equal length, nearest first, the row itself before all others."""
    graph = KNeighborsGraph(n_neighbors=14).fit_transform(X)
    indices, distances = graph.indices.reshape(len(X), 15), graph.data.reshape(len(X), 15)
    assert (indices[:, 0] == np.arange(len(X))).all() and (np.diff(distances, axis=1) >= 0).all()
    umap = pytest.importorskip("umap")
    both_ways = graph.maximum(graph.T)  # which UMAP asks for of a sparse matrix
    model = umap.UMAP(n_neighbors=14, metric="precomputed", random_state=0, n_epochs=50)
    assert model.fit_transform(both_ways).shape == (len(X), 2)
    reference = umap.UMAP(n_neighbors=15, random_state=0, n_epochs=50).fit(X)
    with_graph = umap.UMAP(
        n_neighbors=15,
        random_state=0,
        n_epochs=50,
        precomputed_knn=(indices, distances.astype(np.float32), None),
    ).fit(X)
    difference = scipy.sparse.csr_matrix(reference.graph_ - with_graph.graph_)
    assert abs(difference).max() < 1e-3
