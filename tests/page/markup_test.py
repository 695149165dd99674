#!/usr/bin/env python3
"""The report as a page, without a browser: its markup, and the numbers of the histograms by NumPy.

    markup_test.py build/bin/grouplink
"""

import collections
import html.parser
import json
import pathlib
import sys
import tempfile
import unittest

import numpy as np
import scipy.sparse

import worlds

COMMAND = None
VOID = {"meta", "link", "br", "rect", "line", "circle"}
ALLOWED = VOID | {"html", "head", "title", "style", "body", "header", "main", "footer", "nav", "section", "div", "h1",
                  "h2", "h3", "p", "a", "ul", "li", "dl", "dt", "dd", "data", "code", "bdi", "span", "figure",
                  "figcaption", "table", "thead", "tbody", "tr", "th", "td", "svg", "desc", "text"}


class Strict(html.parser.HTMLParser):
    """Takes note of elements that are not closed as they were opened, and of anything that is not expected."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.faults = []
        self.texts = collections.defaultdict(list)
        self.ids = []

    def handle_starttag(self, tag, attributes):
        if tag not in ALLOWED:
            self.faults.append(f"<{tag}>")
        names = [name for name, _ in attributes]
        if len(names) != len(set(names)):
            self.faults.append(f"attribute twice: {self.get_starttag_text()}")
        self.ids += [value for name, value in attributes if name == "id"]
        self.faults += [f"{name}={value}" for name, value in attributes if name.startswith("on") or
                        name in ("href", "src") and not (value == "data:," or value.startswith("#"))]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        # Shapes with a title within are opened and closed.
        if tag in ("rect", "line", "circle"):
            return
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> within {self.open[-3:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.texts[self.open[-1] if self.open else ""].append(data)


class Markup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="grouplink-markup-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    def page(self, name):
        page = worlds.make(name, COMMAND, self.folder)
        return page.read_bytes().decode("utf-8"), json.loads(page.with_suffix(".json").read_text())

    def check_markup(self, text):
        parser = Strict()
        parser.feed(text)
        parser.close()
        self.assertEqual(parser.faults, [])
        self.assertEqual(parser.open, [])
        self.assertEqual(len(parser.ids), len(set(parser.ids)))
        return parser

    def test_pages_are_well_formed(self):
        for name in worlds.NAMES:
            with self.subTest(name):
                text, _ = self.page(name)
                self.check_markup(text)
                for word in ("nan", "inf,", "-inf"):
                    self.assertNotIn(f">{word}", text)
                self.assertLess(len(text), 300_000)

    def test_data_comes_out_as_text(self):
        text, _ = self.page("hostile")
        parser = self.check_markup(text)
        for key in worlds.HOSTILE[:4]:
            self.assertTrue(any(key in data for data in parser.texts["bdi"]), key)

    def test_histograms_are_those_of_numpy(self):
        for name in ("usual", "one_group", "dot"):
            with self.subTest(name):
                _, report = self.page(name)
                graph = scipy.sparse.load_npz(self.folder / f"{name}.npz")
                from_rows, to_rows = np.diff(graph.indptr), np.bincount(graph.indices, minlength=graph.shape[0])
                for key, degrees in (("links_from", from_rows), ("links_to", to_rows)):
                    edges = report[key]["edges"]
                    self.assertEqual(np.histogram(degrees, edges)[0].tolist(), report[key]["counts"])
                self.assertEqual(sum(report["weights"]["counts"]), report["links_found"])

    def test_weights_are_counted_before_the_cut(self):
        _, cut = self.page("usual")
        arguments = worlds.inputs
        try:
            worlds.inputs = lambda name: (*arguments(name)[:3], [])
            _, whole = self.page("usual")
        finally:
            worlds.inputs = arguments
        self.assertLess(cut["links"], whole["links"])
        self.assertEqual(cut["weights"], whole["weights"])
        graph = scipy.sparse.load_npz(self.folder / "usual.npz")
        counts = np.histogram(graph.data.astype(np.float64), whole["weights"]["edges"])[0]
        self.assertEqual(counts.tolist(), whole["weights"]["counts"])

    def test_the_same_page_but_for_times(self):
        def figures():
            text, _ = self.page("usual")
            start = text.index('<section id="examples">')
            return text[start:text.index('<section id="settings">')]
        self.assertEqual(figures(), figures())


if __name__ == "__main__":
    COMMAND = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
