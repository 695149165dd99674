#!/usr/bin/env python3
"""The report as a page, in a real browser: at the widths of a phone and of a desk, light and dark.

    browser_test.py build/bin/grouplink [--keep FOLDER]

Without Chromium it says so and exits with 77. With --keep, pages and pictures of them stay in the folder.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import unittest

import chromium
import worlds

OPTIONS = None
VIEWS = [(390, 844, True), (1440, 900, False)]
SCHEMES = ["light", "dark"]
OWN = ("data:,",)  # the icon that says that there is none

OVERFLOW = """
(() => {
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && !e.closest('svg') &&
    !e.closest('.hidden') && e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 120));
  return {scroll: document.documentElement.scrollWidth, width, wide};
})()
"""

# Of each element with text of its own: the contrast with what it stands on, where that is too low.
CONTRAST = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const bad = [];
  let seen = 0;
  for (const e of document.querySelectorAll('body *')) {
    if (!['title', 'desc', 'STYLE'].includes(e.tagName) && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) {
      ++seen;
      const style = getComputedStyle(e);
      const front = light(rgba(e.closest('svg') ? style.fill : style.color));
      const back = light(behind(e));
      const contrast = (Math.max(front, back) + .05) / (Math.min(front, back) + .05);
      if (contrast < 4.5) bad.push([contrast, e.outerHTML.slice(0, 120)]);
    }
  }
  return {seen, bad};
})()
"""

# Drawings without a size; texts in them that leave them, or lie on one another.
DRAWINGS = """
(() => {
  const bad = [];
  const all = [...document.querySelectorAll('svg')];
  for (const svg of all) {
    const frame = svg.getBoundingClientRect();
    if (!(frame.width > 100 && frame.height > 30)) bad.push(['size', svg.outerHTML.slice(0, 120)]);
    const texts = [...svg.querySelectorAll('text')].map(t => ({name: t.textContent, box: t.getBoundingClientRect()}))
      .filter(t => t.name !== '');
    for (const {name, box} of texts) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
          box.bottom > frame.bottom + 1) bad.push(['outside', name, svg.querySelector('title').textContent]);
      if (box.height < 8) bad.push(['small', name, box.height]);
    }
    texts.forEach((a, i) => texts.slice(i + 1).forEach(b => {
      const over = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const under = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (over > 2 && under > 4) bad.push(['overlap', a.name, b.name]);
    }));
  }
  return {count: all.length, bad};
})()
"""

DATA = "Object.fromEntries([...document.querySelectorAll('data')].map(e => [e.id, [Number(e.value), e.textContent]]))"
TREE = """({scripts: document.scripts.length, images: document.images.length,
  links: [...document.querySelectorAll('[href],[src]')].map(e => e.getAttribute('href') || e.getAttribute('src')),
  ids: [...document.querySelectorAll('[id]')].map(e => e.id), headings: [...document.querySelectorAll('h1,h2')].length,
  text: document.body.innerText})"""


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(OPTIONS.keep or tempfile.mkdtemp(prefix="grouplink-pages-"))
        cls.folder.mkdir(exist_ok=True)
        cls.browser = chromium.Chromium(chromium.find())
        cls.addClassCleanup(cls.browser.close)

    def each_view(self, page):
        for width, height, phone in VIEWS:
            for scheme in SCHEMES:
                with self.subTest(page=page.stem, width=width, scheme=scheme), \
                        self.browser.open(page.as_uri(), width, height, scheme, phone) as tab:
                    if OPTIONS.keep:
                        tall = tab.evaluate("document.documentElement.scrollHeight")
                        tab.screenshot(self.folder / f"{page.stem}-{width}-{scheme}.png",
                                       {"x": 0, "y": 0, "width": width, "height": tall})
                    self.view(tab, page, width)

    def view(self, tab, page, width):
        self.assertEqual(tab.complaints, [])
        self.assertEqual([url for url in tab.requests if url not in OWN], [page.as_uri()])
        overflow = tab.evaluate(OVERFLOW)
        self.assertEqual(overflow["wide"], [])
        self.assertLessEqual(overflow["scroll"], width)
        drawings = tab.evaluate(DRAWINGS)
        self.assertEqual(drawings["bad"], [])
        contrast = tab.evaluate(CONTRAST)
        self.assertEqual(contrast["bad"], [])
        self.assertGreater(contrast["seen"], 40)
        tree = tab.evaluate(TREE)
        self.assertEqual((tree["scripts"], tree["images"]), (0, 0))
        self.assertEqual(len(tree["ids"]), len(set(tree["ids"])))
        for link in tree["links"]:
            self.assertTrue(link in OWN or link.startswith("#"), link)
        self.numbers(tab.evaluate(DATA), json.loads(page.with_suffix(".json").read_text()))
        for word in worlds.WORDS_SEEN.get(page.stem, []):
            self.assertIn(word, tree["text"])

    def numbers(self, data, report):
        for name in ("rows", "links", "cut", "seconds"):
            self.assertEqual(data[name][0], report[name], name)
        for name in ("rows", "links"):
            self.assertEqual(data[name][1], f"{report[name]:,}")
        self.assertEqual(data["memory"][0], report["peak_memory_bytes"])
        self.assertEqual(data["groups-count"][0], len(report["groups"]))
        if report["links_found"]:
            self.assertEqual(data["links-found"][0], report["links_found"])
        for status, rows in report["row_status"].items():
            if rows:
                self.assertEqual(data[f"status-{status}"][0], rows, status)
        recalls = [group["recall"] for group in report["groups"] if "recall" in group]
        if recalls:
            self.assertEqual(data["recall-lowest"][0], min(recalls, key=lambda r: r["low"])["recall"])


def add_worlds():
    for name in worlds.NAMES:
        def test(self, name=name):
            self.each_view(worlds.make(name, OPTIONS.command, self.folder))
        setattr(Page, f"test_{name}", test)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("command", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--keep")
    OPTIONS, rest = parser.parse_known_args()
    if chromium.find() is None:
        print("no Chromium here: pages are not looked at (Debian: apt-get install chromium)")
        sys.exit(77)
    add_worlds()
    unittest.main(argv=[sys.argv[0], *rest])
