#!/usr/bin/env python3
"""A k-NN graph for SciPy, scikit-learn, NetworkX and Gephi.

    python3 knn_graph.py
"""

import csv
import os
import pathlib
import subprocess
from collections import Counter

import networkx as nx
import numpy as np
import pyarrow.parquet as pq
import scipy.sparse
from sklearn.neighbors import NearestNeighbors

GROUPLINK = os.environ.get("GROUPLINK", "grouplink")
SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "sample.parquet"
K = 10


def link(*arguments):
    subprocess.run([GROUPLINK, "link", SAMPLE, "-k", str(K), "--force", "-q", *arguments], check=True)


sample = pq.read_table(SAMPLE)
vectors = np.array(sample["embedding"].to_pylist(), dtype=np.float32)
groups = sample["group"].to_pylist()

# SciPy: a CSR matrix of weights, the nearest of a row first. Without --group all rows are one group.
link("--similarity", "cosine", "-o", "graph.npz")
graph = scipy.sparse.load_npz("graph.npz")
print(f"{graph.shape[0]} rows, {graph.nnz} links")

# scikit-learn finds the same neighbours, and 1 - weight for a distance.
unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
distances, neighbours = NearestNeighbors(n_neighbors=K, metric="cosine").fit(unit).kneighbors()
ours = 1 - graph.data.reshape(-1, K)
np.testing.assert_allclose(np.sort(ours), np.sort(distances), atol=2e-6)
same = np.mean([len(set(a) & set(b)) / K for a, b in zip(graph.indices.reshape(-1, K), neighbours)])
print(f"scikit-learn: {same:.1%} the same neighbours")
assert same > 0.999  # equally near ones aside

# NetworkX: communities of links that go either way; how well do they tell the groups, unseen so far?
link("--links", "symmetric", "-o", "symmetric.npz")
network = nx.from_scipy_sparse_array(scipy.sparse.load_npz("symmetric.npz"))
communities = nx.community.louvain_communities(network, seed=0)
pure = sum(Counter(groups[row] for row in rows).most_common(1)[0][1] for rows in communities)
print(f"NetworkX: {len(communities)} communities of {network.number_of_nodes()} rows, "
      f"{pure / len(groups):.0%} of them in the group that most of their community are in")
assert 5 < len(communities) < 60 and pure / len(groups) > 0.6

# Gephi: File, Import spreadsheet, as an edges table; an undirected link stands there once.
link("--links", "symmetric", "--id", "word", "-o", "graph.csv")
with open("graph.csv", newline="", encoding="utf-8") as file:
    edges = list(csv.DictReader(file))
print(f"Gephi: {len(edges)} edges, {', '.join(edges[0])}")
assert len(edges) == network.number_of_edges() and {edge["Type"] for edge in edges} == {"Undirected"}
