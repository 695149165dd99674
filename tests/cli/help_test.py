#!/usr/bin/env python3
"""The examples of the help, run as they stand there, one after another; and the manual page.

    help_test.py build/bin/grouplink [--parquet]      --parquet: it is built in
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import fixtures
import numpy as np

COMMAND = ""
PARQUET = "--parquet" in sys.argv
ROWS = 600  # of the sample: its first groups
# What is for a shell's own files, or needs a program that may not be there.
NOT_RUN = {"source <(grouplink completions bash)", "grouplink completions fish | source", "grouplink man | man -l -"}


def printed(*arguments):
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=True).stdout


def commands():
    text = printed("--help")
    return re.findall(r"^  (\w+) ", text[text.index("Commands:"):text.index("Options:")], re.MULTILINE)


def examples(command=None):
    text = printed(*([command] if command else []), "--help")
    part = text[text.index("Examples:"):]
    return re.findall(r"^  (\S.*)$", part.split("\n\n")[0], re.MULTILINE)


def make_inputs(folder):
    """words.parquet, the sample under the names of the examples, and the same rows in other forms."""
    import pyarrow.parquet as pq

    table = pq.read_table(fixtures.SAMPLE).slice(0, ROWS)
    names = {"id": "word", "word": "words", "group": "topic", "embedding": "vector"}
    table = table.rename_columns([names.get(name, name) for name in table.column_names])
    pq.write_table(table, folder / "words.parquet")
    vectors = np.array(table["vector"].to_pylist(), dtype=np.float32)
    np.save(folder / "vectors.npy", vectors)
    words, topics = table["word"].to_pylist(), table["topic"].to_pylist()
    (folder / "words.tsv").write_text("word\ttopic\n" + "".join(f"{w}\t{t}\n" for w, t in zip(words, topics)))
    for name in ("parts", "moved"):
        (folder / name).mkdir()
    shutil.copy(folder / "words.parquet", folder / "moved" / "words.parquet")
    fixtures.make_database(folder / "embeddings.db", [row.tobytes() for row in vectors[:10]])


# What the examples of a command take that others make.
MADE_BEFORE = {
    "verify": ["link words.parquet -o links.parquet --group topic --id word", "link vectors.npy -o links.csv -k 5"],
    "merge": [f"link words.parquet -o parts/{i}.part --group topic --id word --shard {i}/2" for i in (1, 2)],
    "convert": ["link words.parquet -o links.parquet --group topic --id word"],
}


@unittest.skipUnless(PARQUET, "the examples are of Parquet")
class Examples(unittest.TestCase):
    def run_all(self, lines, made_before=()):
        with tempfile.TemporaryDirectory(prefix="grouplink-help-") as name:
            folder = pathlib.Path(name)
            make_inputs(folder)
            (folder / "grouplink").symlink_to(COMMAND)
            environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
            for line in [f"grouplink {line}" for line in made_before] + lines:
                if line in NOT_RUN:
                    continue
                with self.subTest(line=line):
                    done = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True,
                                          text=True, stdin=subprocess.DEVNULL, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    for output in re.findall(r"-o (\S+)", line):
                        self.assertTrue((folder / output).exists(), output)

    def test_of_the_program(self):
        self.run_all(examples())

    def test_of_each_command(self):
        for command in commands():
            lines = examples(command)
            self.assertIn(len(lines), range(2, 7), command)
            self.run_all(lines, MADE_BEFORE.get(command, ()))


class Manual(unittest.TestCase):
    def page(self):
        return printed("man")

    def test_it_has_every_command_and_flag(self):
        page = self.page().replace("\\-", "-")
        for command in commands():
            section = page[page.index(f'.SS "grouplink {command}'):]
            section = section[:section.find("\n.SS ", 1)]
            flags = re.findall(r"^ +(?:(-\w), )?(--[\w-]+)", printed(command, "--help"), re.MULTILINE)
            self.assertTrue(flags)
            for names in flags:
                for flag in filter(None, names):
                    self.assertIn(f"\\fB{flag}\\fR", section, command)

    def test_it_has_the_version_and_a_date(self):
        version = printed("--version").strip()
        done = subprocess.run([COMMAND, "man"], env=os.environ | {"SOURCE_DATE_EPOCH": "86400"}, capture_output=True,
                              text=True, check=True)
        self.assertTrue(done.stdout.startswith(f'.TH GROUPLINK 1 1970-01-02 "{version}"'), done.stdout[:80])

    def test_mandoc_has_nothing_to_say(self):
        if shutil.which("mandoc") is None:
            self.skipTest("mandoc is not installed")
        done = subprocess.run(["mandoc", "-Tlint"], input=self.page(), capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout + done.stderr, "")

    def test_groff_has_nothing_to_say(self):
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=80n"], input=self.page(), capture_output=True,
                              text=True, check=True, env=os.environ | {"GROFF_NO_SGR": "1", "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.stderr, "")
        self.assertIn("grouplink link INPUT -o OUTPUT", done.stdout)


if __name__ == "__main__":
    COMMAND = str(pathlib.Path(sys.argv.pop(1)).resolve())
    sys.argv = [argument for argument in sys.argv if argument != "--parquet"]
    unittest.main()
