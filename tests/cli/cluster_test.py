#!/usr/bin/env python3
"""Runs jobs in shares, as so many processes at once, and compares what merging gives with the output of a
single run, byte for byte: every format, index, link mode, quantile scope and kind of id; then the files of
examples/cluster as Slurm and Kubernetes would run them.

    cluster_test.py COMMAND [--parquet]
"""

import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

import numpy as np

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "cluster"
ISAS = ["baseline", "avx2", "avx512", "avx512vnni", "avx512amx"]
ROWS = 2600


def start(arguments, folder, environment=None):
    return subprocess.Popen([str(a) for a in arguments], cwd=folder, env={**os.environ, **(environment or {})},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(processes):
    """Waits for all; returns what each said on standard error."""
    said = []
    for process in list(processes):  # all have begun before the first is waited for
        out, error = process.communicate(timeout=600)
        assert process.returncode == 0, (process.args, process.returncode, out, error)
        said.append(error)
    return said


def make_inputs(folder, parquet):
    random = np.random.default_rng(5)
    centers = random.standard_normal((30, 40))
    vectors = (centers[random.integers(0, 30, ROWS)] + 0.5 * random.standard_normal((ROWS, 40))).astype("f4")
    vectors[10:20] = vectors[2000:2010]
    vectors[33, 3] = np.nan
    # One group with most of the rows among tiny ones, and rows of none.
    groups = np.where(random.random(ROWS) < 0.85, 0, random.integers(1, 60, ROWS))
    names = ["" if i % 211 == 0 else f"group {g}" for i, g in enumerate(groups)]
    np.save(folder / "rows.npy", vectors)
    (folder / "groups.txt").write_text("".join(name + "\n" for name in names))
    (folder / "names.txt").write_text("".join(f'row "{i}", \u6771\n' for i in range(ROWS)))
    np.save(folder / "numbers.npy", np.arange(ROWS) * 7 + 2**40)
    if parquet:
        import pyarrow as pa
        import pyarrow.parquet as pq
        table = pa.table({"name": [f"row {i}" for i in range(ROWS)], "topic": [name or None for name in names],
                          "vector": pa.array(list(vectors), pa.list_(pa.float32())), "extra": list(range(ROWS))})
        pq.write_table(table, folder / "rows.parquet")


def same_file(one, other):
    if one.read_bytes() == other.read_bytes():
        return True
    if one.suffix != ".db":
        return False
    dumps = []
    for path in (one, other):
        with sqlite3.connect(path) as database:
            dumps.append("\n".join(database.iterdump()))
    return dumps[0] == dumps[1]


def check_formats(command, folder, parquet):
    """Each format is merged from the parts of one run: the parts know nothing of it."""
    cases = [(["rows.npy", "--groups", "groups.txt"], ["npz", "csv", "tsv", "jsonl", "db"], []),
             (["rows.npy", "--groups", "groups.txt", "--ids", "names.txt"], ["npz", "csv", "jsonl", "db"], []),
             (["rows.npy", "--groups", "groups.txt", "--ids", "numbers.npy"], ["csv", "db"], [])]
    if parquet:
        columns = ["rows.parquet", "--group", "topic", "--id", "name"]
        cases += [(columns, ["parquet", "arrow", "npz", "csv", "db"], []),
                  (columns, ["parquet", "arrow"], ["--layout", "lists"]),
                  (["rows.npy", "--groups", "groups.txt"], ["parquet"], ["--layout", "lists"]),
                  (["rows.npy"], ["arrow"], ["--layout", "lists"])]
    shares = 3
    for case, (source, formats, layout) in enumerate(cases):
        options = [*source, "--on-bad-row", "drop", "--links", "symmetric", "--similarity-min-q", "0.2", "-k", "6"]
        finish(start([command, "link", *options, "-q", "-o", f"{case}-{share}.part", "--shard", f"{share}/{shares}"],
                     folder) for share in range(1, shares + 1))
        parts = [f"{case}-{share}.part" for share in range(shares, 0, -1)]
        for extension in formats:
            whole, merged = folder / f"whole-{case}.{extension}", folder / f"merged-{case}.{extension}"
            finish([start([command, "link", *options, *layout, "-q", "-o", whole.name], folder),
                    start([command, "merge", *parts, *layout, "-q", "-o", merged.name], folder)])
            assert same_file(whole, merged), (source, layout, extension)
        # What is merged can be verified as any other output.
        done = start([command, "verify", *source, merged.name, "--sample", "100", "-q"], folder)
        out, error = done.communicate(timeout=600)
        assert done.returncode == 0, (out, error)
    return sum(len(formats) for _, formats, _ in cases)


def isas_of_machine(command, folder):
    usable = []
    for isa in ISAS:
        done = start([command, "link", "rows.npy", "--groups", "groups.txt", "-o", "isa.npz", "--force", "-q",
                      "--on-bad-row", "drop"], folder, {"GROUPLINK_ISA": isa})
        error = done.communicate(timeout=600)[1]
        assert done.returncode == 0 or "this CPU or build lacks" in error, (isa, done.returncode, error)
        if done.returncode == 0:
            usable.append(isa)
    assert usable[0] == "baseline", "the portable kernels run anywhere"
    return usable


def check_options(command, folder):
    """Every index, mode and scope, at numbers of shares up to more than there are groups."""
    cases = 0
    isas = isas_of_machine(command, folder)
    modes = ["directed", "mutual", "symmetric"]
    for index in ["flat", "ivf", "hnsw", "partition", "auto"]:
        for turn, (shares, scope, quantile) in enumerate([(2, "all", "0.3"), (7, "group", "0.5"), (1, "all", "0")]):
            mode = modes[(cases + turn) % 3]
            options = ["rows.npy", "--groups", "groups.txt", "--on-bad-row", "drop", "--index", index, "--links", mode,
                       "--quantile-scope", scope, "--similarity-min-q", quantile, "--similarity-min", "0.1", "-q"]
            finish([start([command, "link", *options, "-o", "whole.npz", "--force", "--threads", "1"], folder)])
            processes = []
            for share in range(1, shares + 1):
                # Exact links are the same on any instruction set.
                isa = {"GROUPLINK_ISA": isas[share % len(isas)]} if index == "flat" else {}
                processes.append(start([command, "link", *options, "-o", f"{share}.part", "--force", "--threads",
                                        1 + share % 3, "--shard", f"{share}/{shares}"], folder, isa))
            finish(processes)
            parts = [f"{share}.part" for share in range(1, shares + 1)]
            finish([start([command, "merge", *parts, "-o", "merged.npz", "--force", "-q", "--threads", "3"], folder)])
            assert same_file(folder / "whole.npz", folder / "merged.npz"), (index, mode, shares, scope)
            cases += 1
    return cases


def fake_sbatch(folder):
    """Runs what sbatch would queue at once, the tasks of an array side by side."""
    (folder / "bin").mkdir()
    sbatch = folder / "bin" / "sbatch"
    sbatch.write_text(f'''#!{sys.executable}
import os, re, subprocess, sys
script = sys.argv[-1]
array = [a for a in sys.argv if a.startswith("--array=")]
tasks = range(1, int(array[0].split("-")[-1]) + 1) if array else [None]
running = []
for task in tasks:
    environment = dict(os.environ, SLURM_CPUS_PER_TASK="1")
    if task is not None:
        environment["SLURM_ARRAY_TASK_ID"] = str(task)
    running.append(subprocess.Popen(["bash", script], env=environment, stdout=sys.stderr))
codes = [process.wait() for process in running]
print(41)
sys.exit(max(codes))
''')
    sbatch.chmod(0o755)


def check_examples(command, folder):
    fake_sbatch(folder)
    (folder / "bin" / "grouplink").symlink_to(pathlib.Path(command).resolve())
    options = ["--groups", "groups.txt", "--on-bad-row", "drop", "-k", "4", "--links", "mutual"]
    finish([start([command, "link", "rows.npy", *options, "-q", "-o", "single.npz"], folder)])
    environment = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "INPUT": "rows.npy", "SHARES": "4",
                   "LINK_OPTIONS": " ".join(options)}

    slurm = {**environment, "PARTS": "slurm", "OUTPUT": "slurm.npz"}
    finish([start(["bash", EXAMPLES / "slurm.sh"], folder, slurm)])
    assert same_file(folder / "single.npz", folder / "slurm.npz")
    # A task that is run again leaves its part alone; one whose part is gone makes it anew.
    kept = (folder / "slurm" / "1.part").stat().st_mtime_ns
    (folder / "slurm" / "2.part").unlink()
    (folder / "slurm.npz").unlink()
    finish([start(["bash", EXAMPLES / "slurm.sh"], folder, slurm)])
    assert same_file(folder / "single.npz", folder / "slurm.npz")
    assert (folder / "slurm" / "1.part").stat().st_mtime_ns == kept

    text = (EXAMPLES / "kubernetes.yaml").read_text()
    scripts = {name: re.sub(r"(?m)^    ", "", body)
               for name, body in re.findall(r"(?m)^  (\w+\.sh): \|\n((?:    .*\n)+)", text)}
    assert sorted(scripts) == ["link.sh", "merge.sh"], scripts
    shares = re.search(r'SHARES: "(\d+)"', text).group(1)
    assert re.search(r"completions: (\d+)", text).group(1) == shares
    pods = {**environment, "PARTS": "pods", "OUTPUT": "pods.npz", "POLL_SECONDS": "0.2"}
    merging = start(["sh", "-c", scripts["merge.sh"]], folder, pods)
    finish(start(["sh", "-c", scripts["link.sh"]], folder, {**pods, "JOB_COMPLETION_INDEX": str(pod)})
           for pod in range(4))
    finish([merging])
    assert same_file(folder / "single.npz", folder / "pods.npz")


def main():
    command = pathlib.Path(sys.argv[1]).resolve()
    parquet = "--parquet" in sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="grouplink-cluster-") as name:
        folder = pathlib.Path(name)
        make_inputs(folder, parquet)
        formats = check_formats(command, folder, parquet)
        options = check_options(command, folder)
        check_examples(command, folder)
    print(f"{formats} outputs and {options} jobs merged, Slurm and Kubernetes examples run")


if __name__ == "__main__":
    main()
