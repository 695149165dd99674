#!/usr/bin/env python3
"""Grouped product data in Parquet: similar products of the same category, joined back by DuckDB.

    python3 product_data.py
"""

import datetime
import decimal
import os
import pathlib
import subprocess

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

GROUPLINK = os.environ.get("GROUPLINK", "grouplink")
SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "sample.parquet"
BRANDS = ["Acme", "Borealis", "Cobalt", None]
NO_CATEGORY = 100  # each so-manieth product has none


def make_products(path):
    """A catalogue as a warehouse writes it, of the foods and drinks among the sample's words."""
    sample = pq.read_table(SAMPLE, filters=[("group", "in", ["noun.food", "verb.consumption", "noun.shape"])])
    rows = range(sample.num_rows)
    first = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    embeddings = sample["embedding"].combine_chunks()
    products = pa.table({
        "product_id": pa.array([1_000_000 + row for row in rows], pa.int64()),
        "title": pa.array([word.split(", ")[0] for word in sample["word"].to_pylist()]),
        "brand": pa.array([BRANDS[row % 4] for row in rows]).dictionary_encode(),
        "category": pa.array([None if row % NO_CATEGORY == 0 else group
                              for row, group in enumerate(sample["group"].to_pylist())]),
        "price": pa.array([decimal.Decimal(row % 5000 + 99) / 100 for row in rows], pa.decimal128(9, 2)),
        "in_stock": pa.array([row % 7 != 0 for row in rows]),
        "updated_at": pa.array([first + datetime.timedelta(minutes=row) for row in rows]),
        "embedding": embeddings.cast(pa.list_(pa.float32(), embeddings.type.list_size)),
    })
    pq.write_table(products, path, row_group_size=1000, compression="zstd")


make_products("products.parquet")

# Products without a category cannot be linked: they are left without links, and counted.
subprocess.run([GROUPLINK, "link", "products.parquet", "--group", "category", "--id", "product_id", "-k", "4",
                "--on-bad-row", "drop", "-o", "similar.parquet", "-q"], check=True)

[(products, linked, links)] = duckdb.sql("""
    SELECT (SELECT count(*) FROM 'products.parquet'), count(DISTINCT source), count(*) FROM 'similar.parquet'
""").fetchall()
print(f"{products} products, {linked} with similar ones, {links} links")
assert linked == products - -(-products // NO_CATEGORY) and links == 4 * linked

similar = duckdb.sql("""
    SELECT this.title, this.category, s.weight, that.title AS similar, that.price, that.category AS other
    FROM 'similar.parquet' s
    JOIN 'products.parquet' this ON this.product_id = s.source
    JOIN 'products.parquet' that ON that.product_id = s.target
    WHERE that.in_stock
    ORDER BY s.source, s.weight DESC
""")
for title in ("espresso", "baguet", "spiral"):
    for _, category, weight, other, price, _ in similar.filter(f"title = '{title}'").fetchall():
        print(f"    {title} ({category})  {weight:.3f}  {other}, {price}")
assert similar.filter("category != other").fetchall() == []

# The same links as columns of the products themselves, for what reads a row at a time.
subprocess.run([GROUPLINK, "link", "products.parquet", "--group", "category", "--id", "product_id", "-k", "4",
                "--on-bad-row", "drop", "--layout", "lists", "-o", "products_linked.parquet", "-q"], check=True)
before, after = pq.read_schema("products.parquet"), pq.read_schema("products_linked.parquet")
print("new columns:", ", ".join(name for name in after.names if name not in before.names))
assert duckdb.sql("SELECT sum(len(targets)) FROM 'products_linked.parquet'").fetchall() == [(links,)]
