#!/usr/bin/env python3
"""How grouplink's time and memory grow with the rows of one group: made-up rows of 100,000 to 1,000,000.

    python3 bench/run_scale.py [--small] [--kinds clustered,hard] [--recall-target R] [--threads N] [--runs N]

Builds what it needs in the build folder and makes the rows there, once. Prints a Markdown table, writes JSON
and a plot. See README.md.
"""

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from common import (
    BENCH,
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

SIZES = (100_000, 300_000, 1_000_000)
SMALL_SIZES = (5_000, 10_000, 20_000)
STEP = 0.02  # seconds between two looks at a process's memory
FAILED = 1


class Watch:
    """Looks at a process's memory as it runs, and ends it when it takes too long. What is mapped from files,
    as the rows are, is not counted: those pages belong to the file cache, which the system may take back."""

    def __init__(self, limit: float):
        self.limit, self.own, self.ended = limit, 0, False
        self.over = threading.Event()
        self.threads: list[threading.Thread] = []

    def __call__(self, process: subprocess.Popen) -> None:
        self.threads = [threading.Thread(target=target, args=(process,)) for target in (self.look, self.end)]
        for thread in self.threads:
            thread.start()

    def look(self, process: subprocess.Popen) -> None:
        status = Path(f"/proc/{process.pid}/status")
        while not self.over.wait(STEP):
            try:
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
            except OSError:
                return
            own = sum(int(fields.get(name, "0").split()[0]) for name in ("RssAnon", "RssShmem")) * 1024
            self.own = max(self.own, own)

    def end(self, process: subprocess.Popen) -> None:
        if not self.over.wait(self.limit):
            self.ended = True
            process.terminate()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


class Run:
    """One size of one kind."""

    def __init__(self, kind: str, rows: int, vectors: Path):
        self.kind, self.rows, self.vectors = kind, rows, vectors
        self.seconds: list[float] = []
        self.user: list[float] = []
        self.system: list[float] = []
        self.own: list[int] = []
        self.peak: list[int] = []
        self.report: dict = {}
        self.verified: dict = {}
        self.over_limit = False

    def link(self, command: Path, options: list, scratch: Path, limit: float, sample: int) -> None:
        output, report = scratch / "links.npz", scratch / "report.json"
        watch = Watch(limit)
        try:
            process = run_process([command, "link", self.vectors, "-o", output, "--force", "-q", "-k", K, *options,
                                   "--report", report], watch, allowed=(0, -15, 130, 143))
        finally:
            watch.stop()
        if watch.ended:
            self.over_limit = True
            return
        self.seconds.append(process.seconds)
        self.user.append(process.user)
        self.system.append(process.system)
        self.own.append(watch.own)
        self.peak.append(process.peak)
        self.report = json.loads(report.read_text())
        if not self.verified:
            checked = run_process([command, "verify", self.vectors, output, "--sample", sample, "--json"],
                                  allowed=(0, 1))
            self.verified = json.loads(checked.output)

    @property
    def group(self) -> dict:
        return self.report["groups"][0]

    @property
    def promised(self) -> float:
        """Bytes of the rows in float32 and of the links in memory."""
        return 4.0 * self.rows * self.group["dim"] + 12.0 * self.report["links"] + 8.0 * self.rows

    def summary(self) -> dict:
        summary = {"kind": self.kind, "rows": self.rows, "input_bytes": self.vectors.stat().st_size,
                   "over_limit": self.over_limit, "seconds": self.seconds}
        if self.seconds:
            summary |= {"median_seconds": median(self.seconds), "user_seconds": self.user,
                        "system_seconds": self.system, "own_memory_bytes": max(self.own),
                        "peak_memory_bytes": max(self.peak), "group": self.group, "stages": self.report["stages"],
                        "verify": self.verified}
        return summary


def growth(runs: list[Run], value) -> list[float]:
    """Exponents between each size and the next."""
    done = [run for run in runs if run.seconds]
    return [math.log(value(more) / value(less)) / math.log(more.rows / less.rows)
            for less, more in itertools.pairwise(done)]


def index_of(group: dict) -> str:
    knobs = {name: group[name] for name in ("nlist", "nprobe", "M", "ef_search", "passes", "fanout", "refinements")
             if name in group}
    name = group["index"] + (", all pairs in the end" if group.get("exhaustive") else "")
    return f"{name} ({', '.join(f'{knob} {value}' for knob, value in knobs.items())})" if knobs else name


def table(runs: list[Run]) -> list[list[str]]:
    rows = []
    for run in runs:
        if not run.seconds:
            rows.append([run.kind, f"{run.rows:,}", "over the limit", *[""] * 7])
            continue
        said = run.group.get("recall")
        recall = run.verified["recall"]
        rows.append([run.kind, f"{run.rows:,}", f"{median(run.seconds):.1f}", f"{median(run.user):.1f}",
                     f"{max(run.own) / 1e6:.0f}", f"{max(run.peak) / 1e6:.0f}", f"{max(run.peak) / run.promised:.2f}",
                     f"{said['recall']:.4f}" if said else "exact",
                     f"{recall['recall']:.4f} ({recall['low']:.4f} to {recall['high']:.4f})", index_of(run.group)])
    return rows


HEADER = ["kind", "rows", "s", "user CPU s", "own MB", "peak MB", "peak / (float32 rows + links)", "recall reported",
          "recall verified", "index"]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--small", action="store_true", help="5,000 to 20,000 rows: to see that everything works")
    parser.add_argument("--sizes", help="rows, with commas (default: 100000,300000,1000000)")
    parser.add_argument("--kinds", default="clustered,hard", help="of made-up rows (default: clustered,hard)")
    parser.add_argument("--index", default="auto", help="as the command's (default: auto)")
    parser.add_argument("--recall-target", type=float, default=0.95, help="as the command's (default: 0.95)")
    parser.add_argument("--build", type=Path, default=ROOT / "build-bench", help="build folder (default: build-bench)")
    parser.add_argument("--python", type=Path, help="a Python with matplotlib, instead of making one")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="(default: all)")
    parser.add_argument("--runs", type=int, default=1, help="of each size (default: 1)")
    parser.add_argument("--limit", type=float, default=7200.0, metavar="SECONDS",
                        help="what takes longer is ended and left out (default: 7200)")
    parser.add_argument("--sample", type=int, default=1000, help="rows that verify searches (default: 1000)")
    parser.add_argument("--json", type=Path, help="file for the results (default: scale.json in the build folder)")
    arguments = parser.parse_args()
    if arguments.runs < 1 or arguments.threads < 1:
        parser.error("--runs and --threads take 1 or more")
    try:
        arguments.sizes = sorted(int(size) for size in arguments.sizes.split(",")) if arguments.sizes else None
    except ValueError:
        parser.error("--sizes takes whole numbers with commas between them")
    arguments.sizes = arguments.sizes or list(SMALL_SIZES if arguments.small else SIZES)
    arguments.kinds = arguments.kinds.split(",")
    if unknown := set(arguments.kinds) - {"clustered", "hard"}:
        parser.error(f"--kinds takes clustered and hard, got {', '.join(sorted(unknown))}")
    return arguments


def main() -> int:
    arguments = parsed()
    folder = arguments.build.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = arguments.python or make_environment(folder / "venv", {"matplotlib": "matplotlib"})
    build(folder, python, False)
    program, command = folder / "bin" / "core", folder / "bin" / "grouplink"

    runs = [Run(kind, rows, make_rows(program, kind, rows, folder / f"{kind}-{rows}.npy"))
            for kind in arguments.kinds for rows in arguments.sizes]
    options = ["--index", arguments.index, "--threads", arguments.threads]
    if arguments.index != "flat":
        options += ["--recall-target", arguments.recall_target]
    load = machine_load()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for turn in range(arguments.runs):
            for run in runs:
                if run.over_limit:
                    continue
                say(f"run {turn + 1} of {arguments.runs}: {run.kind}, {run.rows:,} rows")
                run.link(command, options, Path(scratch), arguments.limit, arguments.sample)

    print(f"\n--index {arguments.index}, recall target {arguments.recall_target}, k {K}, {arguments.threads} threads; "
          f"{cpu_model()}; medians of {arguments.runs} runs of the whole command\n")
    print_markdown(HEADER, table(runs))
    print()
    exponents = {}
    for kind in arguments.kinds:
        series = [run for run in runs if run.kind == kind]
        exponents[kind] = {"time": growth(series, lambda run: median(run.seconds)),
                           "user_cpu": growth(series, lambda run: median(run.user)),
                           "own_memory": growth(series, lambda run: max(run.own))}
        for what, values in exponents[kind].items():
            print(f"{kind}: {what.replace('_', ' ')} grows as rows to the power of "
                  f"{', '.join(f'{value:.2f}' for value in values) or 'too few sizes to tell'}")

    wrong = 0
    for run in runs:
        broken = [check["name"] for check in run.verified.get("checks", []) if check["result"] == "broken"]
        if broken:
            print(f"WARNING: {run.kind}, {run.rows:,} rows: verify finds broken: {', '.join(broken)}")
        missed = run.seconds and run.verified["recall"]["high"] < arguments.recall_target
        if missed and arguments.index != "flat":
            print(f"WARNING: {run.kind}, {run.rows:,} rows: recall {run.verified['recall']['recall']:.4f} is below "
                  "the target")
        wrong += bool(broken) + bool(missed)
    target = arguments.json or folder / "scale.json"
    write_json(target, {"k": K, "index": arguments.index, "recall_target": arguments.recall_target,
                        "threads": arguments.threads, "cpu": cpu_model(), "load_before": load,
                        "exponents": exponents, "runs": [run.summary() for run in runs]})
    subprocess.run([python, BENCH / "plot.py", "scale", target, target.with_suffix("")], check=True)
    return FAILED if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failure:
        sys.exit(f"run_scale.py: failed: {' '.join(map(str, failure.cmd))}")
