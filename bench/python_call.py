#!/usr/bin/env python3
"""What a call from Python costs beside the command: core time of both, on all groups of WordNet, in turn.

    python_call.py --command build/bin/grouplink --data-dir FOLDER [--rounds 7]

Run by a Python that has grouplink installed. The command's core time is that of the stages of its report but
reading and writing; the call's is all of grouplink.link(), groups as a list of strings.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np

import grouplink


def command_seconds(command, vectors, table, folder):
    report = folder / "report.json"
    subprocess.run([command, "link", vectors, "--groups", f"{table}:group", "-o", folder / "links.npz", "--force",
                    "-q", "--report", report], check=True)
    stages = json.loads(report.read_text())["stages"]
    return sum(stage["seconds"] for stage in stages if stage["name"] not in ("read", "write"))


def call_seconds(rows, groups):
    start = time.perf_counter()
    links = grouplink.link(rows, groups)
    seconds = time.perf_counter() - start
    return seconds, links.report["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--command", required=True)
    parser.add_argument("--data-dir", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    vectors, table = arguments.data_dir / "wordnet-384.f16.npy", arguments.data_dir / "wordnet.tsv"
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    column = header.split("\t").index("group")
    groups = [line.split("\t")[column] for line in lines]
    rows = np.load(vectors, mmap_mode="r")

    commands, calls, engines = [], [], []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(arguments.rounds):
            commands.append(command_seconds(arguments.command, vectors, table, pathlib.Path(name)))
            call, engine = call_seconds(rows, groups)
            calls.append(call)
            engines.append(engine)
    outside = [call - engine for call, engine in zip(calls, engines)]
    command, call = statistics.median(commands), statistics.median(calls)
    print(f"command, core    {command:.3f} s  (least {min(commands):.3f})")
    print(f"call from Python {call:.3f} s  (least {min(calls):.3f}), {call / command - 1:+.1%}")
    print(f"  of it outside of the engine {statistics.median(outside):.3f} s, "
          f"{statistics.median(outside) / statistics.median(engines):.1%} of the engine's time")


main()
