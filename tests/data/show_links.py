#!/usr/bin/env python3
"""Prints a few rows of INPUT.parquet with the nearest words that LINKS.parquet links them to.

INPUT has the columns word and group (and id, where the links name rows by it); LINKS is what
`grouplink link` wrote, in either layout. Needs pyarrow.
"""

import argparse
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Two senses of rain, each among its own group; the largest group of the sample and the smallest.
CHOSEN = [
    ("espresso", "noun.food"), ("carbonara", "noun.food"), ("baguet", "noun.food"),
    ("rain", "noun.phenomenon"), ("rain", "verb.weather"),
    ("nostalgia", "noun.feeling"), ("spiral", "noun.shape"), ("glimpse", "verb.perception"),
    ("gladden", "verb.emotion"), ("sip", "verb.consumption"), ("plant", "noun.Tops"),
    ("ethical motive", "noun.motive"),
]
COLUMNS = 4
WIDTH = 20


def first_word(words: str) -> str:
    return words.split(", ")[0]


def clipped(word: str) -> str:
    return word if len(word) <= WIDTH else word[: WIDTH - 3] + "..."


def rows_to_show(words: list, groups: list) -> list:
    """The chosen rows that there are; without any, the first row of each of the first groups."""
    place = {}
    for row, key in enumerate(zip(map(first_word, words), groups)):
        place.setdefault(key, row)
    found = [place[key] for key in CHOSEN if key in place]
    if not found:
        first = {}
        for row, group in enumerate(groups):
            first.setdefault(group, row)
        found = list(first.values())[: len(CHOSEN)]
    return found


class Links:
    """The links of one row at a time, as (target row, weight), whatever the layout."""

    def __init__(self, path: str, ids: list, rows: int):
        columns = pq.read_schema(path).names
        self.edges = "source" in columns
        wanted = ["source", "target", "weight"] if self.edges else ["targets", "weights"]
        missing = [name for name in wanted if name not in columns]
        if missing:
            raise SystemExit(f"{path}: no column {missing[0]}, it has {', '.join(columns)}; "
                             "give what grouplink link wrote")
        self.table = pq.read_table(path, columns=wanted)
        targets = self.table["target" if self.edges else "targets"]
        kind = targets.type if self.edges else targets.type.value_type
        # Without --id the links name rows by their number.
        by_id = ids and pa.types.is_integer(kind) == isinstance(ids[0], int)
        self.names = ids if by_id else range(rows)
        self.row_of = {name: row for row, name in enumerate(self.names)}

    def of(self, row: int) -> list:
        if self.edges:
            part = self.table.filter(pc.equal(self.table["source"], self.names[row]))
            targets, weights = part["target"].to_pylist(), part["weight"].to_pylist()
        else:
            targets = self.table["targets"][row].as_py() or []
            weights = self.table["weights"][row].as_py() or []
        return [(self.row_of[target], weight) for target, weight in zip(targets, weights)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input", metavar="INPUT.parquet")
    parser.add_argument("links", metavar="LINKS.parquet")
    parser.add_argument("--n", type=int, default=8, help="nearest words a row (default 8)")
    arguments = parser.parse_args()

    columns = pq.read_schema(arguments.input).names
    missing = [name for name in ("word", "group") if name not in columns]
    if missing:
        raise SystemExit(f"{arguments.input}: no column {missing[0]}, it has {', '.join(columns)}")
    table = pq.read_table(arguments.input, columns=[c for c in ("id", "word", "group") if c in columns])
    words, groups = table["word"].to_pylist(), table["group"].to_pylist()
    ids = table["id"].to_pylist() if "id" in columns else []

    links = Links(arguments.links, ids, len(words))
    for row in rows_to_show(words, groups):
        print(f"{first_word(words[row])} ({groups[row]})")
        cells = [f"{weight:.3f} {clipped(first_word(words[target])):<{WIDTH}}"
                 for target, weight in links.of(row)[: arguments.n]]
        for start in range(0, len(cells), COLUMNS):
            print("    " + "  ".join(cells[start:start + COLUMNS]).rstrip())
        if not cells:
            print("    no links")
    return 0


if __name__ == "__main__":
    sys.exit(main())
