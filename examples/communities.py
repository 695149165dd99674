#!/usr/bin/env python3
"""A map of communities: embeddings, links, communities, a picture.

    python3 communities.py                  the sample in tests/data
    python3 communities.py FOLDER           wordnet-384.f16.npy and wordnet.tsv, all of WordNet

Takes the Python package, in cells that can be run one after another in a notebook. Writes communities.png.
"""

# %% Embeddings, and what they are of.
import pathlib
import random
import sys
from collections import Counter

import igraph
import matplotlib
import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
from sklearn.manifold import TSNE

import grouplink

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
    vectors = np.load(folder / "wordnet-384.f16.npy", mmap_mode="r")
    parse = pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False)
    table = pyarrow.csv.read_csv(folder / "wordnet.tsv", parse_options=parse)
else:
    table = pq.read_table(pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "sample.parquet")
    vectors = table["embedding"]
names = table["word" if "word" in table.column_names else "words"]
words = [name.split(", ")[0] for name in names.to_pylist()]
groups = table["group"].to_pylist()

# %% Links: of each row to its ten nearest, of any group, kept where they go both ways.
links = grouplink.link(vectors, n_nearest=10, similarity="cosine", links="mutual")
print(links)

# %% Communities: Leiden, by igraph.
random.seed(0)  # which igraph draws from
sources = links.sources
above = sources < links.targets
edges = np.stack([sources, links.targets], axis=1)[above]
graph = igraph.Graph(links.n_rows, edges)
found = graph.community_leiden("modularity", weights=links.weights[above], n_iterations=4)
community = np.array(found.membership)
sizes = np.bincount(community)
largest = np.argsort(-sizes, kind="stable")[:12]
pure = sum(Counter(groups[row] for row in rows).most_common(1)[0][1] for rows in found)
print(f"{np.sum(sizes > 9)} communities of ten rows and more; {pure / len(groups):.0%} of the rows are in the "
      "group that most of their community are in")

# %% A picture: rows near each other, by t-SNE of the distances to their nearest, coloured by community.
drawn = np.flatnonzero(np.isin(community, largest))
drawn = drawn[:: max(1, len(drawn) // 2000)]
rows = np.asarray(vectors[drawn] if isinstance(vectors, np.ndarray) else vectors.take(drawn).to_pylist(), np.float32)
near = grouplink.KNeighborsGraph(n_neighbors=91, metric="cosine").fit_transform(rows)
places = TSNE(metric="precomputed", init="random", random_state=0).fit_transform(near)

figure, axes = plt.subplots(figsize=(12, 10), layout="constrained")
degree = np.array(graph.degree())
for color, number in enumerate(largest):
    inside = community[drawn] == number
    axes.scatter(*places[inside].T, s=14, color=plt.get_cmap("tab20")(color), linewidths=0)
    center = np.median(places[inside], axis=0)
    best = sorted(np.flatnonzero(community == number), key=lambda row: -degree[row])[:3]
    label = "\n".join(words[row] for row in best)
    axes.annotate(label, center, ha="center", va="center", fontsize=9,
                  bbox={"boxstyle": "round", "facecolor": "white", "alpha": 0.8, "edgecolor": "none"})
axes.set_title(f"The {len(largest)} largest communities of {links.n_rows:,} definitions, by {len(links) // 2:,} "
               "mutual links")
axes.set_axis_off()
figure.savefig("communities.png", dpi=110)
print("communities.png")
