"""spoil FILE CODE [ARRAYS_CODE]: plants an error in links, by a piece of Python.

CODE sees `record`, what the file tells of how its links were made, and of an .npz or a .parquet of lists
`rows`, a list of [target, weight] for each row; of a .parquet of edges `edges`, [source, target, weight]
each. ARRAYS_CODE sees the `arrays` of an .npz as they are about to be saved.
"""

import json
import sys

import numpy as np


def spoil_matrix(path, code, arrays_code):
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    record = json.loads(arrays["grouplink"].item())
    links = list(zip(arrays["indices"].tolist(), arrays["data"].tolist()))
    rows = [[list(link) for link in links[first:last]]
            for first, last in zip(arrays["indptr"], arrays["indptr"][1:])]
    exec(code, {"rows": rows, "record": record})
    links = [link for row in rows for link in row]
    arrays["indices"] = np.array([target for target, _ in links], dtype=np.int32)
    arrays["data"] = np.array([weight for _, weight in links], dtype=np.float32)
    arrays["indptr"] = np.cumsum([0] + [len(row) for row in rows], dtype=np.int32)
    arrays["grouplink"] = np.array(record if isinstance(record, str) else json.dumps(record))
    exec(arrays_code, {"arrays": arrays, "np": np})
    np.savez(path, **arrays)


def spoil_table(path, code):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    record = json.loads(table.schema.metadata[b"grouplink"])
    if "source" in table.column_names:
        edges = [list(edge.values()) for edge in table.to_pylist()]
        exec(code, {"edges": edges, "record": record})
        columns = list(zip(*edges))
    else:
        rows = [[list(link) for link in zip(row["targets"], row["weights"])] for row in table.to_pylist()]
        exec(code, {"rows": rows, "record": record})
        columns = [table.column(i) for i in range(table.num_columns - 2)]
        columns.append([[link[0] for link in row] for row in rows])
        columns.append([[link[1] for link in row if len(link) > 1] for row in rows])
    fields = [field.with_nullable(True) for field in table.schema]
    schema = pa.schema(fields, metadata={"grouplink": json.dumps(record)})
    arrays = [column if isinstance(column, pa.ChunkedArray) else pa.array(column, field.type)
              for column, field in zip(columns, fields)]
    pq.write_table(pa.table(arrays, schema=schema), path)


if sys.argv[1].endswith(".npz"):
    spoil_matrix(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
else:
    spoil_table(sys.argv[1], sys.argv[2])
