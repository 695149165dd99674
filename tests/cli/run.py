#!/usr/bin/env python3
"""Runs the golden cases of the command.

    run.py --command build/engine/cli/grouplink cases/link.txt ...
    run.py --command ... --update cases/link.txt      # writes down what came out; read the diff

A file of cases holds, for each case, a title and steps:

    === an existing output is not replaced
    $ touch links.npz
    $ grouplink link rows.npy -o links.npz
    ! grouplink: links.npz: exists already; pass --force to replace it
    = 2

A step is a line of shell and what it gave: standard output after ">", standard error after "!", the
exit code after "=" unless it is 0. Each case runs in a folder of its own that holds the inputs of
fixtures.py; the programs of tools/ stand beside grouplink. What differs from run to run (times,
memory, machine) is replaced by a word, see normalised(). Lines that begin with "#" are comments.
"""

import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import fixtures

HERE = pathlib.Path(__file__).resolve().parent

VOLATILE = [
    (r" in [\d.]+ s(?: \([^)]*\))?, peak [\d.]+ [KMGT]?i?B", " in TIME, peak MEMORY"),
    (r'("(?:\w*_)?seconds": )[-+.\de]+', r"\1TIME"),
    (r'("busy": )[-+.\de]+', r"\1SHARE"),
    (r'("trace": )\[[^\]]*\]', r"\1[SHARES]"),
    (r'("peak_memory_bytes": )\d+', r"\1MEMORY"),
    (r"(?m)^(.*: (?:parquet|arrow|npz|sqlite|part), [\d,]+ rows?, )[\d.]+ [KMGT]?i?B$", r"\1SIZE"),
    (r'("memory": )\{[^}]*\}', r"\1{MEMORY}"),
    (r"(The process takes )[\d.]+ [KMGT]?i?B( at its peak, of a budget of )[\d.]+ [KMGT]?i?B", r"\1MEMORY\2MEMORY"),
    (r'("isa": )"[^"]*"', r"\1ISA"),
    (r'("finished": )"[^"]*"', r"\1TIME"),
    (r'("machine": )\{[^}]*\}', r"\1{MACHINE}"),
    (r'("(?:faiss_)?version": )"\d+\.\d+\.\d+"', r"\1VERSION"),
    (r"(?m)^(grouplink )\d+\.\d+\.\d+$", r"\1VERSION"),
]


def normalised(text, folder):
    text = text.replace(str(folder), "WORK")
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    return text


def marked(mark, text):
    if not text:
        return []
    lines = text.split("\n")
    ended = lines[-1] == ""
    if ended:
        lines.pop()
    out = [f"{mark} {line}" if line else mark for line in lines]
    return out if ended else out + [f"{mark}(no newline)"]


class World:
    """What the steps run in: a PATH with the command and the tools, and the inputs."""

    def __init__(self, command, root):
        self.inputs = root / "inputs"
        self.inputs.mkdir()
        fixtures.make_all(self.inputs)
        programs = root / "bin"
        programs.mkdir()
        (programs / "grouplink").symlink_to(pathlib.Path(command).resolve())
        for tool in sorted((HERE / "tools").glob("*.py")):
            script = programs / tool.stem
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tool}" "$@"\n')
            script.chmod(0o755)
        self.root = root
        self.environment = {
            "PATH": f"{programs}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
            "TMPDIR": str(root),
        }
        for name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def new_folder(self):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        shutil.copytree(self.inputs, folder, dirs_exist_ok=True, symlinks=True)
        return folder

    def run(self, line, folder):
        done = subprocess.run(["sh", "-c", line], cwd=folder, env=self.environment, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300, check=False)
        out = normalised(done.stdout.decode("utf-8", "backslashreplace"), folder)
        err = normalised(done.stderr.decode("utf-8", "backslashreplace"), folder)
        code = [f"= {done.returncode}"] if done.returncode else []
        return marked(">", out) + marked("!", err) + code


def run_file(path, world, update):
    """Returns how many cases ran and the titles of those that failed."""
    lines = path.read_text().split("\n")
    result = []
    failed = []
    cases = 0
    title = None
    folder = None
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        result.append(line)
        if line.startswith("=== "):
            title = line[4:]
            cases += 1
            folder = world.new_folder()
        elif line.startswith("$ "):
            if folder is None:
                sys.exit(f"{path}:{at}: a step outside of a case")
            expected = []
            while at < len(lines) and lines[at][:1] in (">", "!", "="):
                if lines[at].startswith("==="):
                    break
                expected.append(lines[at])
                at += 1
            actual = world.run(line[2:], folder)
            result.extend(actual)
            if actual != expected and not update:
                print(f"{path.name}: {title}\n  {line}")
                for change in difflib.unified_diff(expected, actual, "expected", "actual", lineterm="", n=20):
                    print(f"    {change}")
                failed.append(title)
        elif line and not line.startswith("#"):
            sys.exit(f"{path}:{at}: neither a title, a step nor a comment: {line}")
    if update:
        path.write_text("\n".join(result))
    return cases, failed


def main():
    parser = argparse.ArgumentParser(description="Runs the golden cases of the command.")
    parser.add_argument("--command", required=True, help="the grouplink program")
    parser.add_argument("--update", action="store_true", help="write down what came out")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    cases = 0
    failed = []
    with tempfile.TemporaryDirectory(prefix="grouplink-cli-") as root:
        world = World(arguments.command, pathlib.Path(root).resolve())
        for path in arguments.files:
            ran, bad = run_file(path, world, arguments.update)
            cases += ran
            failed += bad
    print(f"{cases} cases, {len(set(failed))} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
