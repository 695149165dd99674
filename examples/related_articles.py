#!/usr/bin/env python3
"""Related articles from the embeddings.db of `llm`, as a table `similarities` beside them.

    python3 related_articles.py

The articles are definitions of WordNet; their embeddings are in the sample, so that nothing is fetched. With
your own, `llm embed-multi` has made embeddings.db, and all that is left is the one command below.
"""

import os
import pathlib
import sqlite3
import subprocess

import llm
import pyarrow.parquet as pq
import sqlite_utils

GROUPLINK = os.environ.get("GROUPLINK", "grouplink")
SAMPLE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "sample.parquet"
COLLECTIONS = ["noun.food", "noun.feeling", "verb.weather"]


class Sample(llm.EmbeddingModel):
    """Embeds the definitions of the sample, which it looks up."""

    model_id = "sample"

    def __init__(self, vectors):
        self.vectors = vectors

    def embed_batch(self, texts):
        return [self.vectors[text] for text in texts]


def make_embeddings(path):
    table = pq.read_table(SAMPLE)
    articles = [(row["word"], row["group"], f"{row['word']}: {row['gloss']}") for row in
                table.select(["word", "group", "gloss"]).to_pylist()]
    vectors = {text: vector for (_, _, text), vector in zip(articles, table["embedding"].to_pylist())}
    database = sqlite_utils.Database(path)
    for name in COLLECTIONS:
        collection = llm.Collection(name, database, model=Sample(vectors))
        collection.embed_multi([(text, text) for _, group, text in articles if group == name], store=True)
    database.close()


make_embeddings("embeddings.db")

# Similar articles of the same collection, into the database that they are in.
subprocess.run([GROUPLINK, "link", "embeddings.db", "-o", "embeddings.db", "--update", "-k", "3", "-q"], check=True)

RELATED = """
    SELECT s.score, other.content
    FROM embeddings e
    JOIN collections c ON c.id = e.collection_id
    JOIN similarities s ON s.id = e.id
    JOIN embeddings other ON other.collection_id = e.collection_id AND other.id = s.other_id
    WHERE c.name = ? AND e.content LIKE ?
    ORDER BY s.score DESC"""

database = sqlite3.connect("embeddings.db")
articles, links = (database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                   for table in ("embeddings", "similarities"))
print(f"{articles} articles, {links} related ones")
for collection, begins in [("noun.food", "espresso:%"), ("noun.feeling", "nostalgia:%"), ("verb.weather", "snow:%")]:
    found = database.execute(RELATED, (collection, begins)).fetchall()
    print(begins.rstrip(":%"))
    for score, content in found:
        print(f"    {score:.3f}  {content[:66]}")
    assert len(found) == 3 and min(found)[0] > 0.45, found
assert links == 3 * articles
