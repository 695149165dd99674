"""show FILE: the links or the table in an output of the command, as text. Weights have 4 digits."""

import sys


def show_edges(sources, targets, weights):
    for source, target, weight in zip(sources, targets, weights):
        print(f"{source} -> {target}  {weight:.4f}")


def show_matrix(path):
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        print(f"{file['format'].item().decode()} {tuple(file['shape'].tolist())}")
        rows = np.repeat(np.arange(len(file["indptr"]) - 1), np.diff(file["indptr"]))
        show_edges(rows, file["indices"], file["data"])


def text_of(value):
    if isinstance(value, list):
        return "[" + " ".join(text_of(item) for item in value) + "]"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def show_table(path):
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    table = feather.read_table(path) if path.endswith(".arrow") else pq.read_table(path)
    print(" ".join(table.column_names))
    for row in table.to_pylist():
        print(" ".join(text_of(value) for value in row.values()))


show_matrix(sys.argv[1]) if sys.argv[1].endswith(".npz") else show_table(sys.argv[1])
