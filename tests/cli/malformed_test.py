#!/usr/bin/env python3
"""Damaged files of every format, given to every command that reads it: one line that begins with the file's
name, exit code 3, nothing on standard output and nothing written.

    malformed_test.py build/bin/grouplink [--parquet]      --parquet: it is built in
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import fixtures

COMMAND = ""
TABLES = [".parquet", ".feather", ".arrows"] if "--parquet" in sys.argv else []
ROWS = [".npy", ".fbin", ".fvecs", ".jsonl", ".db"] + TABLES
LINKS = [".npz", ".csv", ".tsv", ".jsonl", ".db"] + TABLES
VALUES = [".npy", ".tsv", ".csv", ".txt"]
# Of a text that is cut short, what is left may be a whole one; nothing is no line, and any line a header.
TEXTS = {".csv", ".tsv", ".txt", ".jsonl"}
MAY_BE_WHOLE = {"half", "short", "empty", "page"}


def damaged(data):
    yield "empty", b""
    yield "zeros", bytes(200)
    yield "noise", bytes((i * i * 7 + i * 13) % 256 for i in range(400))
    yield "page", b"<html><body>404 not found</body></html>\n"
    yield "beginning", data[:6] + b"\xff\xfe\x00" * 60
    yield "half", data[:len(data) // 2 - 1]
    yield "short", data[:-3]


class Malformed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="grouplink-malformed-")
        cls.folder = pathlib.Path(cls.scratch.name)
        fixtures.make_all(cls.folder)
        (cls.folder / "rows.db").write_bytes((cls.folder / "embeddings.db").read_bytes())
        for extension in LINKS:
            cls.run_(["link", "rows.npy", "-o", f"links{extension}", "-k", "3", "-q"])
        cls.before = {path.name for path in cls.folder.iterdir()}

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @classmethod
    def run_(cls, arguments):
        return subprocess.run([COMMAND, *arguments], cwd=cls.folder, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False)

    def check(self, good, commands):
        data = (self.folder / good).read_bytes()
        extension = pathlib.Path(good).suffix
        for kind, bad in damaged(data):
            name = f"damaged{extension}"
            (self.folder / name).write_bytes(bad)
            for arguments in commands:
                with self.subTest(file=good, kind=kind, arguments=arguments):
                    done = self.run_([word.replace("FILE", name) for word in arguments])
                    if extension in TEXTS and done.returncode in (0, 1) and kind in MAY_BE_WHOLE:
                        continue
                    self.assertEqual(done.returncode, 3, done.stderr + done.stdout)
                    self.assertRegex(done.stderr, rf"\Agrouplink: {name}: [^\n]+\n\Z")
                    self.assertEqual(done.stdout, "")
            left = {path.name for path in self.folder.iterdir()} - self.before - {name}
            for path in left:
                os.remove(self.folder / path)
            if extension not in TEXTS:
                self.assertEqual(left, set(), kind)
            os.remove(self.folder / name)

    def test_rows(self):
        for extension in ROWS:
            self.check(f"rows{extension}", [["link", "FILE", "-o", "out.npz"], ["explain", "FILE"],
                                            ["inspect", "FILE"], ["verify", "FILE", "links.npz"],
                                            ["convert", "FILE", "out.jsonl"]])

    def test_links(self):
        for extension in LINKS:
            self.check(f"links{extension}", [["verify", "rows.npy", "FILE"], ["convert", "FILE", "out.jsonl"],
                                             ["inspect", "FILE"]])

    def test_groups_and_ids(self):
        for extension, good in zip(VALUES, ["words.npy", "rows.tsv", "rows.csv", "words.txt"]):
            column = ":topic" if extension in (".tsv", ".csv") else ""
            self.check(good, [["link", "rows.npy", "--groups", f"FILE{column}", "-o", "out.npz"],
                              ["link", "rows.npy", "--ids", f"FILE{column}", "-o", "out.csv"]])


if __name__ == "__main__":
    COMMAND = str(pathlib.Path(sys.argv.pop(1)).resolve())
    sys.argv = [argument for argument in sys.argv if argument != "--parquet"]
    unittest.main()
