#!/usr/bin/env python3
"""Recall against time on one large group: grouplink's indexes and other libraries, each over its knobs.

    python3 bench/run_large.py [--small | --made-up ROWS | --data FILE.npy] [--threads N] [--runs N]

Builds what it needs in the build folder, and makes a Python environment there for the others. Every run is a
process of its own; the methods take turns. Prints Markdown tables, writes JSON and plots. See README.md.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from common import (
    BENCH,
    DISAGREES,
    ROOT,
    K,
    build,
    cpu_model,
    machine_load,
    make_environment,
    make_rows,
    median,
    print_markdown,
    run_process,
    say,
    write_json,
)
from curves import seconds_at

PACKAGES = {"faiss": "faiss-cpu", "hnswlib": "hnswlib", "matplotlib": "matplotlib", "pynndescent": "pynndescent",
            "sklearn": "scikit-learn", "usearch": "usearch"}
RECALLS = (0.945, 0.988, 0.99)
AUTO, BEST = "grouplink auto", "grouplink, best index"


class Setting:
    """A method with one set of knobs, and its runs."""

    def __init__(self, method: str, knobs: str):
        self.method, self.knobs = method, knobs
        self.core: list[float] = []
        self.cpu: list[float] = []
        self.whole: list[float] = []
        self.peak: list[int] = []
        self.accuracy: dict = {}
        self.details: dict = {}
        self.versions: dict = {}

    @property
    def name(self) -> str:
        return f"{self.method} {self.knobs}".strip()

    def summary(self) -> dict:
        return {"method": self.method, "knobs": self.knobs, "recall": self.accuracy["recall"],
                "accuracy": self.accuracy, "core_seconds": self.core, "core_median": median(self.core),
                "cpu_seconds": self.cpu, "cpu_median": median(self.cpu), "whole_seconds": self.whole,
                "whole_median": median(self.whole), "peak_memory_bytes": max(self.peak), **self.details}


class Place:
    """Where the rows and the programs are, and how the runs are to be."""

    def __init__(self, folder: Path, python: Path, vectors: Path, threads: int, scratch: Path):
        self.core, self.command = folder / "bin" / "core", folder / "bin" / "grouplink"
        self.python, self.vectors, self.threads, self.scratch = python, vectors, threads, scratch
        self.truth, self.found = scratch / "truth.i64", scratch / "found.i64"
        self.rows = ["--data", vectors, "--one-group", "--runs", 1, "-k", K, "--threads", threads]

    def run_core(self, *more) -> dict:
        report = self.scratch / "core.json"
        run_process([self.core, *self.rows, "--json", report, *more])
        return json.loads(report.read_text())


class Core(Setting):
    """grouplink with an index, or Annoy. The whole process of grouplink's is its command."""

    def __init__(self, method: str, knobs: str, core: list):
        super().__init__(method, knobs)
        self.arguments = core
        self.ours = method.startswith("grouplink")

    def run(self, place: Place) -> None:
        first = not self.core
        result = place.run_core(*self.arguments, *(["--compare", place.truth] if first else []))
        method = result["methods"][0]
        self.core.append(method["seconds"][0])
        self.cpu.append(method["cpu_seconds"][0])
        self.peak.append(method["peak_memory_bytes"])
        if first:
            self.accuracy = method["accuracy"]
        self.versions = {"grouplink": result["grouplink"]} if self.ours else {"annoy": "1.17.3"}
        if self.ours:
            self.details = {"search": method["search"], "isa": method["isa"], "busy_shares": method["busy_shares"]}
            process = run_process([place.command, "link", place.vectors, "-o", place.scratch / "links.npz", "--force",
                                   "-q", "-k", K, "--threads", place.threads, *self.arguments])
            self.whole.append(process.seconds)
            self.details["command_peak_memory_bytes"] = process.peak
            self.details["command_cpu_seconds"] = process.user + process.system


class Peer(Setting):
    """Another library, from Python."""

    def __init__(self, method: str, knobs: str = "", flat: bool = False):
        super().__init__(method, knobs)
        self.claims_exact = flat

    def run(self, place: Place) -> None:
        first = not self.core
        process = run_process([place.python, BENCH / "large_peer.py", place.vectors, "--method", self.method, "--knobs",
                               self.knobs, "--threads", place.threads, "-k", K, "--save", place.found], allowed=(0,))
        result = json.loads(process.output)
        self.core.append(result["core"])
        self.cpu.append(result["cpu"])
        self.peak.append(result["peak_memory_bytes"])
        self.whole.append(process.seconds)
        self.versions = result["versions"]
        self.details = {"memory_before_bytes": result["memory_before_bytes"]}
        if first:
            judged = place.run_core("--method", f"saved:{place.found}", "--compare", place.truth)
            self.accuracy = judged["methods"][0]["accuracy"]


def ladders(rows: int, small: bool, annoy: bool) -> list[Setting]:
    """Each method over its knobs; with `small`, over few of them."""
    def some(values: list) -> list:
        return values[1:4:2] if small else values

    def ours(index: str, flags: str, values: list) -> list[Setting]:
        settings = []
        for value in some(values):
            knobs = dict(zip(flags.split(), value if isinstance(value, tuple) else (value,)))
            parts = [part for name, knob in knobs.items() for part in (f"--{name}", str(knob))]
            settings.append(Core(f"grouplink {index}", " ".join(f"{name} {knob}" for name, knob in knobs.items()),
                                 ["--index", index, *parts]))
        return settings

    nlist = round(math.sqrt(rows))
    settings = [Core("grouplink flat", "", ["--index", "flat"]), Peer("faiss-flat", flat=True)]
    settings += ours("auto", "recall-target", [0.9, 0.945, 0.97, 0.98, 0.988, 0.99, 0.995])
    settings += ours("partition", "passes fanout refinements",
                     [(1, 4, 1), (1, 8, 1), (1, 6, 2), (1, 8, 2), (1, 12, 2), (1, 8, 3), (2, 8, 2)])
    settings += ours("ivf", "nprobe", [2, 4, 8, 16, 32, 64])
    settings += ours("hnsw", "ef-search", [16, 32, 64, 128])
    settings += [Peer("pynndescent", knobs) for knobs in some(["n=16", "n=20", "n=24", "n=30", "n=40"])]
    settings += [Peer("faiss-hnsw", f"M={M},efc={efc},ef={ef}") for M, efc, ef in some(
        [(16, 40, 16), (16, 80, 32), (32, 80, 16), (32, 80, 32), (32, 80, 64), (32, 80, 128)])]
    settings += [Peer("hnswlib", f"M={M},efc={efc},ef={ef}") for M, efc, ef in some(
        [(8, 50, 16), (16, 50, 16), (16, 100, 16), (16, 100, 32), (16, 100, 64), (16, 100, 128)])]
    settings += [Peer("usearch", f"dtype={dtype},M=16,efc={efc},ef={ef}") for dtype, efc, ef in some(
        [("i8", 64, 16), ("i8", 128, 64), ("f16", 64, 16), ("f16", 64, 32), ("f16", 128, 64), ("f16", 128, 128)])]
    settings += [Peer("faiss-ivf", f"nlist={nlist},nprobe={nprobe}") for nprobe in some([4, 8, 16, 32, 64])]
    settings += [Peer("faiss-ivf-batch", f"nlist={nlist},nprobe={nprobe}") for nprobe in some([4, 8, 16, 32, 64])]
    if annoy:
        settings += [Core("annoy", f"trees {trees}, search_k {effort}",
                          ["--method", f"annoy:{effort}", "--trees", trees])
                     for trees, effort in some([(10, 900), (30, 900), (30, 1800), (30, 3600), (60, 7200), (60, 14400)])]
    settings.append(Peer("sklearn", flat=True))
    return settings


def print_settings(settings: list[Setting]) -> None:
    rows = [[setting.method, setting.knobs.replace(",", " "), f"{setting.accuracy['recall']:.4f}",
             f"{median(setting.core):.2f}", f"{min(setting.core):.2f} to {max(setting.core):.2f}",
             f"{median(setting.cpu):.1f}", f"{median(setting.whole):.2f}" if setting.whole else "",
             f"{max(setting.peak) / 1e6:.0f}"] for setting in settings]
    print_markdown(["method", "knobs", f"recall@{K}", "core s", "min to max", "CPU s", "whole s", "peak MB"], rows)


def at_equal_recall(settings: list[Setting]) -> dict:
    """Seconds of each method, by recall; None where it does not get there."""
    points: dict[str, list] = {}
    for setting in settings:
        names = [setting.method] + ([BEST] if setting.method.startswith("grouplink") else [])
        for name in names:
            points.setdefault(name, []).append((setting.accuracy["recall"], median(setting.core)))
    order = sorted(points, key=lambda name: (name != AUTO, name != BEST, not name.startswith("grouplink")))
    return {name: {str(recall): seconds_at(points[name], recall) for recall in RECALLS} for name in order}


def print_equal(table: dict) -> None:
    rows = []
    for name, seconds in table.items():
        row = [name]
        for recall, value in seconds.items():
            ours = table.get(AUTO, {}).get(recall)
            row += [f"{value:.2f}" if value else "not reached", f"{value / ours:.2f}" if value and ours else ""]
        rows.append(row)
    print_markdown(["method", *[cell for recall in RECALLS for cell in (f"s at {recall}", "ratio")]], rows)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--small", action="store_true",
                      help="20,000 made-up rows, few knobs, one run: to see that everything works")
    data.add_argument("--made-up", type=int, metavar="ROWS", help="so many made-up rows instead of WordNet")
    data.add_argument("--data", type=Path, metavar="FILE.npy", help="other rows instead of WordNet, of float16")
    parser.add_argument("--kind", choices=["clustered", "hard"], default="clustered",
                        help="of made-up rows (default: clustered)")
    parser.add_argument("--data-dir", default=os.environ.get("GROUPLINK_BENCH_DATA"),
                        help="folder of wordnet-384.f16.npy (default: $GROUPLINK_BENCH_DATA)")
    parser.add_argument("--build", type=Path, default=ROOT / "build-bench", help="build folder (default: build-bench)")
    parser.add_argument("--python", type=Path, help="a Python that has all that is compared, instead of making one")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of every method (default: all)")
    parser.add_argument("--runs", type=int, help="of every setting (default: 3)")
    parser.add_argument("--long", type=float, default=60.0, metavar="SECONDS",
                        help="what takes longer than this is not run again (default: 60)")
    parser.add_argument("--methods", default="", metavar="REGEX",
                        help="only settings whose name, as the table has it, contains this")
    parser.add_argument("--no-annoy", action="store_true", help="leave Annoy out")
    parser.add_argument("--list", action="store_true", help="print the settings' names and stop")
    parser.add_argument("--json", type=Path, help="file for the results (default: large.json in the build folder)")
    arguments = parser.parse_args()
    arguments.runs = arguments.runs or (1 if arguments.small else 3)
    if arguments.runs < 1 or arguments.threads < 1:
        parser.error("--runs and --threads take 1 or more")
    if not (arguments.small or arguments.made_up or arguments.data or arguments.data_dir):
        parser.error("set --data-dir or GROUPLINK_BENCH_DATA to the folder of the WordNet vectors, "
                     "or take --small, --made-up or --data")
    return arguments


def rows_of(path: Path) -> int:
    """From the header of a .npy."""
    with path.open("rb") as file:
        return int(re.search(rb"'shape': \((\d+),", file.read(512)).group(1))


def main() -> int:
    arguments = parsed()
    folder = arguments.build.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not arguments.list:
        python = arguments.python or make_environment(folder / "venv", PACKAGES)
        build(folder, python, not arguments.no_annoy)

    made_up = 20_000 if arguments.small else arguments.made_up
    if arguments.list:
        count = 117_659
    else:
        if made_up:
            vectors = make_rows(folder / "bin" / "core", arguments.kind, made_up,
                                folder / f"{arguments.kind}-{made_up}.npy")
        else:
            vectors = (arguments.data or Path(arguments.data_dir) / "wordnet-384.f16.npy").resolve()
        count = rows_of(vectors)
    settings = [setting for setting in ladders(count, arguments.small, not arguments.no_annoy)
                if re.search(arguments.methods, setting.name)]
    if arguments.list:
        print(*[setting.name for setting in settings], sep="\n")
        return 0
    if not settings:
        raise SystemExit(f"run_large.py: --methods '{arguments.methods}': no setting has that in its name; see --list")

    load = machine_load()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        place = Place(folder, python, vectors, arguments.threads, Path(scratch))
        say("the truth: grouplink flat, checked against brute force in double precision")
        # Also warms up the file cache.
        place.run_core("--index", "flat", "--save", place.truth)
        shape = place.run_core("--index", "flat", "--oracle", 1000)
        for run in range(arguments.runs):
            for setting in settings:
                if setting.core and setting.core[0] > arguments.long:
                    continue
                say(f"run {run + 1} of {arguments.runs}: {setting.name}")
                setting.run(place)

    print(f"\n{shape['data']}: {shape['rows']} rows x {shape['dim']} as one group, k {K}; {cpu_model()}, "
          f"{arguments.threads} threads, medians of {arguments.runs} alternated runs")
    versions = {name: version for setting in settings for name, version in setting.versions.items()}
    print(", ".join(f"{name} {version}" for name, version in versions.items()), end="\n\n")
    print_settings(settings)
    print()
    equal = at_equal_recall(settings)
    print_equal(equal)

    wrong = 0 if shape["methods"][0]["accuracy"]["exact"] else 1
    if wrong:
        print("\nWARNING: the truth disagrees with brute force in double precision")
    for setting in settings:
        exact = isinstance(setting, Peer) and setting.claims_exact
        if setting.accuracy["broken"] or (exact and not setting.accuracy["exact"]):
            wrong += 1
            print(f"\nWARNING: {setting.name}: {setting.accuracy['missed']} neighbors missed, "
                  f"{setting.accuracy['misplaced']} misplaced, {setting.accuracy['broken']} broken")
    target = arguments.json or folder / "large.json"
    write_json(target, {
        "data": shape["data"], "rows": shape["rows"], "dim": shape["dim"], "k": K, "threads": arguments.threads,
        "runs": arguments.runs, "cpu": cpu_model(), "load_before": load, "versions": versions,
        "settings": [setting.summary() for setting in settings], "equal_recall": equal})
    subprocess.run([python, BENCH / "plot.py", "large", target, target.with_suffix("")], check=True)
    return DISAGREES if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failure:
        sys.exit(f"run_large.py: failed: {' '.join(map(str, failure.cmd))}")
