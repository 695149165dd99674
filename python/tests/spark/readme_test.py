"""The code of the README's section on Spark runs, and its table is what the planner says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from grouplink.spark._sizing import sizing_table

ROOT = Path(__file__).resolve().parents[3]


def section() -> str:
    found = re.search(
        r"^## Spark\n(.*?)^## ", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    return found[1]


def test_code_runs(spark: Any, tmp_path: Path) -> None:
    sample = pq.read_table(ROOT / "tests" / "data" / "sample.parquet").rename_columns(
        {"id": "url", "group": "site"}
    )
    floats = sample["embedding"].combine_chunks().values.cast(pa.float32())
    lists = pa.FixedSizeListArray.from_arrays(floats, 384).cast(pa.list_(pa.float32()))
    articles = sample.set_column(sample.schema.get_field_index("embedding"), "embedding", lists)
    pq.write_table(articles, tmp_path / "articles.parquet")
    scope: dict[str, Any] = {}
    for code in re.findall(r"^```python\n(.*?)^```", section(), re.DOTALL | re.MULTILINE):
        in_folder = re.sub(r'"(\w+\.parquet)"', lambda name: repr(str(tmp_path / name[1])), code)
        exec(compile(in_folder, "README.md", "exec"), scope)
    links = spark.read.parquet(str(tmp_path / "links.parquet"))
    assert links.columns == ["url", "site", "targets", "weights"]
    assert links.count() == sample.num_rows


def test_table_is_that_of_the_planner() -> None:
    assert sizing_table() in section()
