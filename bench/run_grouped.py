#!/usr/bin/env python3
"""Compares grouplink, a loop over FAISS flat indexes and Annoy on the same grouped rows.

    python3 bench/run_grouped.py [--small | --tiny GROUPS] [--threads N] [--runs N] [--json FILE]

Builds what it needs in the build folder, and makes a Python environment there for faiss-cpu. Every
run is a process of its own; the methods take turns, so that a machine that slows down slows all of
them. Prints a table, writes the JSON, and exits with 1 when exact results disagree. See README.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from common import (
    BENCH,
    ROOT,
    K,
    build,
    cpu_model,
    machine_load,
    make_environment,
    print_table,
    run_process,
    say,
    write_json,
)

SAMPLE = ROOT / "tests" / "data" / "sample.parquet"


class Method:
    def __init__(self, name: str, exact: bool):
        self.name, self.exact = name, exact
        self.core, self.whole, self.peak = [], [], []
        self.accuracy, self.details = None, {}

    def summary(self) -> dict:
        return {"method": self.name, "exact": self.exact, "core_seconds": self.core, "whole_seconds": self.whole,
                "core_median": statistics.median(self.core), "whole_median": statistics.median(self.whole),
                "peak_memory_bytes": max(self.peak), "accuracy": self.accuracy, **self.details}


class Core(Method):
    """A method of the program `core`. Its whole process is grouplink's command, where there is one."""

    def __init__(self, name, exact, program, data, threads, truth, command=None):
        super().__init__(name, exact)
        self.program, self.data, self.threads, self.truth, self.command = program, data, threads, truth, command

    def run(self, folder: Path, last: bool) -> None:
        report = folder / "core.json"
        command = [self.program, *self.data, "--method", self.name, "--runs", 1, "-k", K, "--threads", self.threads,
                   "--json", report]
        # Accuracy is looked at once, outside of what is timed.
        process = run_process([*command, "--compare", self.truth] if last else command)
        result = json.loads(report.read_text())
        method = result["methods"][0]
        self.core.append(method["seconds"][0])
        self.peak.append(method["peak_memory_bytes"])
        self.details = {"stages": method["stages"], "busy_shares": method["busy_shares"], "isa": method["isa"],
                        "versions": {"grouplink": result["grouplink"], "faiss in C++": result["faiss"]}}
        if last:
            self.accuracy = method["accuracy"]
        if self.command:
            output = folder / "links.npz"
            process = run_process([*self.command, "--threads", self.threads, "-k", K, "-o", output, "--force", "-q"])
            self.details["command_peak_memory_bytes"] = process.peak
            self.whole.append(process.seconds)
        elif not last:
            self.whole.append(process.seconds)


class Faiss(Method):
    def __init__(self, way, python, data, threads, truth):
        super().__init__(f"faiss-cpu, threads {'over' if way == 'groups' else 'inside'} groups", True)
        self.way, self.python, self.data, self.threads, self.truth = way, python, data, threads, truth

    def run(self, folder: Path, last: bool) -> None:
        target = self.truth if self.way == "groups" else folder / "inside.i64"
        process = run_process([self.python, BENCH / "faiss_grouped.py", *self.data, "--threads", self.threads, "-k", K,
                               "--way", self.way, "--save", target])
        result = json.loads(process.output)
        self.core.append(result["core"])
        self.whole.append(process.seconds)
        self.peak.append(process.peak)
        self.details = {"versions": result["versions"], "compile_options": result["compile_options"]}


def print_methods(methods: list, baseline: Method) -> None:
    header = ["method", "core s", "(min to max)", "ratio", "recall@15", "whole s", "peak MB"]
    rows = []
    for method in methods:
        truth = "the truth" if method is methods[0] else "not taken"
        recall = f"{method.accuracy['recall']:.4f}" if method.accuracy else truth
        rows.append([method.name, f"{statistics.median(method.core):.3f}",
                     f"{min(method.core):.3f} to {max(method.core):.3f}",
                     f"{statistics.median(method.core) / statistics.median(baseline.core):.2f}", recall,
                     f"{statistics.median(method.whole):.2f}", f"{max(method.peak) / 1e6:.0f}"])
    print_table(header, rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--small", action="store_true", help="the sample in tests/data instead of WordNet")
    parser.add_argument("--tiny", type=int, metavar="GROUPS",
                        help="so many made-up groups of 5 to 50 rows instead of WordNet")
    parser.add_argument("--data-dir", default=os.environ.get("GROUPLINK_BENCH_DATA"),
                        help="folder of wordnet-384.f16.npy and wordnet.tsv (default: $GROUPLINK_BENCH_DATA)")
    parser.add_argument("--build", type=Path, default=ROOT / "build-bench", help="build folder (default: build-bench)")
    parser.add_argument("--python", type=Path, help="a Python with faiss-cpu, numpy and pyarrow, instead of making one")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of every method (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="of every method (default: 3)")
    parser.add_argument("--no-annoy", action="store_true", help="leave Annoy out")
    parser.add_argument("--json", type=Path, help="file for the results (default: grouped.json in the build folder)")
    arguments = parser.parse_args()
    if arguments.runs < 2 or arguments.threads < 1:
        parser.error("--runs takes 2 or more, --threads 1 or more")
    if not (arguments.small or arguments.tiny or arguments.data_dir):
        parser.error("set --data-dir or GROUPLINK_BENCH_DATA to the folder of the WordNet vectors, "
                     "or take --small or --tiny")

    folder = arguments.build.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = arguments.python or make_environment(folder / "venv", {"faiss": "faiss-cpu"})
    build(folder, python, not arguments.no_annoy)
    program, command = folder / "bin" / "core", folder / "bin" / "grouplink"

    if arguments.small:
        core_data, faiss_data = ["--data", SAMPLE], [SAMPLE]
        link = [command, "link", SAMPLE, "--group", "group"]
    else:
        if arguments.tiny:
            prefix = folder / f"tiny-{arguments.tiny}"
            vectors, groups = f"{prefix}.npy", f"{prefix}.groups.npy"
            run_process([program, "--data", "tiny", "--groups", arguments.tiny, "--save-data", prefix])
        else:
            place = Path(arguments.data_dir).resolve()
            vectors, groups = place / "wordnet-384.f16.npy", f"{place / 'wordnet.tsv'}:group"
        core_data = ["--data", vectors, "--groups-file", groups]
        faiss_data = [vectors, "--groups-file", groups]
        link = [command, "link", vectors, "--groups", groups]

    load = machine_load()
    with tempfile.TemporaryDirectory(dir=folder) as scratch_name:
        scratch = Path(scratch_name)
        truth = scratch / "truth.i64"
        ours = Core("grouplink", True, program, core_data, arguments.threads, truth, link)
        methods = [Faiss("groups", python, faiss_data, arguments.threads, truth), ours,
                   Faiss("inside", python, faiss_data, arguments.threads, truth)]
        methods.append(Core("faiss", True, program, core_data, arguments.threads, truth))
        if not arguments.no_annoy:
            methods += [Core(f"annoy:{search_k}", False, program, core_data, arguments.threads, truth)
                        for search_k in (900, 3600)]
        for run in range(arguments.runs):
            for method in methods:
                say(f"run {run + 1} of {arguments.runs}: {method.name}")
                method.run(scratch, run + 1 == arguments.runs)
        oracle = scratch / "oracle.json"
        run_process([program, *core_data, "--method", "grouplink", "--runs", 1, "-k", K, "--threads",
                     arguments.threads, "--oracle", 1000, "--json", oracle])
        shape = json.loads(oracle.read_text())
    brute = shape["methods"][0]["accuracy"]

    print(f"\n{shape['data']}: {shape['rows']} rows x {shape['dim']}, {shape['groups']} groups, k {K}; "
          f"{cpu_model()}, {arguments.threads} threads, {arguments.runs} alternated runs")
    versions = {key: value for method in methods for key, value in method.details["versions"].items()}
    if not arguments.no_annoy:
        versions["annoy"] = "1.17.3 (30 trees)"
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print_methods(methods, ours)
    print(f"threads busy in knn: {', '.join(f'{share:.1%}' for share in ours.details['busy_shares'])}; "
          f"grouplink's command peaks at {ours.details['command_peak_memory_bytes'] / 1e6:.0f} MB")

    wrong = 0
    for what, accuracy in (("FAISS on every row", ours.accuracy), ("brute force on 1,000 rows", brute)):
        if not accuracy["exact"]:
            wrong += 1
            print(f"WARNING: grouplink disagrees with {what}, ties aside: {accuracy['missed']} neighbors missed, "
                  f"{accuracy['misplaced']} misplaced, {accuracy['broken']} broken")
    target = arguments.json or folder / "grouped.json"
    write_json(target, {
        "data": shape["data"], "rows": shape["rows"], "dim": shape["dim"], "groups": shape["groups"],
        "input_bytes": shape["input_bytes"], "k": K, "threads": arguments.threads, "runs": arguments.runs,
        "cpu": cpu_model(), "load_before": load, "versions": versions, "brute_force": brute,
        "methods": [method.summary() for method in methods]})
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failure:
        sys.exit(f"run_grouped.py: failed: {' '.join(map(str, failure.cmd))}")
