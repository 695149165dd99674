#!/usr/bin/env python3
"""Runs one of the examples and holds what it prints against what their README shows. Exits with 77, which
means left out, where the example needs a package that is not installed.

    examples_test.py examples/knn_graph.py build/bin/grouplink
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

LEFT_OUT = 77


def comparable(text):
    """Without what another version of a library may put differently."""
    lines = [line.rstrip() for line in text.strip().split("\n")]
    return [re.sub(r"\d+", "N", line) if line.startswith("NetworkX") else line for line in lines]


def shown(script):
    readme = (script.parent / "README.md").read_text()
    return re.search(rf"`{script.name}` prints:\n\n```\n(.*?)```", readme, re.DOTALL).group(1)


def main():
    script = pathlib.Path(sys.argv[1]).resolve()
    environment = os.environ | {"GROUPLINK": str(pathlib.Path(sys.argv[2]).resolve())}
    with tempfile.TemporaryDirectory(prefix="grouplink-example-") as folder:
        done = subprocess.run([sys.executable, script], cwd=folder, env=environment | {"HOME": folder},
                              capture_output=True, text=True, check=False)
    if missing := re.search(r"^ModuleNotFoundError: (.*)$", done.stderr, re.MULTILINE):
        print(f"left out: {missing.group(1)}; pip install -r examples/requirements.txt")
        return LEFT_OUT
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n")
        return 1
    if comparable(done.stdout) != comparable(shown(script)):
        print(f"README.md shows:\n{shown(script)}\n{script.name} prints:\n{done.stdout}")
        return 1
    return 0


sys.exit(main())
