"""What the tests of faults share: small jobs of every kind, a server that runs one of them with a fault at the
N-th allocation or call of the system (see shim.c), and what must hold after each run."""

import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import fixtures  # noqa: E402  pylint: disable=wrong-import-position

GIVE_UP = 20  # seconds, after which a run is one that hangs

Run = collections.namedtuple("Run", "code signal calls milliseconds out err")


class Job:
    """A command line, the files that it makes, and the exit code of a run without faults."""

    def __init__(self, name, arguments, outputs=(), code=0):
        self.name = name
        self.arguments = arguments
        self.outputs = list(outputs)
        self.code = code

    def __repr__(self):
        return f"{self.name}: {' '.join(self.arguments)}"


def jobs(parquet):
    """All formats in and out, all indexes and all subcommands, each as small as it can be."""
    tables = [".parquet", ".feather", ".arrows"] if parquet else []
    all_jobs = []
    for ending in [".npy", ".fbin", ".fvecs", ".jsonl", ".db"] + tables:
        rows = f"rows{ending}"
        all_jobs.append(Job(f"link from {ending}", ["link", rows, "-o", "out.npz", "-k", "3"], ["out.npz"]))
        all_jobs.append(Job(f"inspect {ending}", ["inspect", rows]))
        # A database's rows are in groups, which the links were not made in.
        all_jobs.append(Job(f"verify {ending}", ["verify", rows, "links.npz"], code=1 if ending == ".db" else 0))
    for ending in [".npz", ".csv", ".tsv", ".jsonl", ".db"] + tables:
        named = ["--groups", "rows.tsv:topic", "--id", "word"]
        out = f"out{ending}"
        all_jobs.append(Job(f"link to {ending}", ["link", "rows.npy", *named, "-o", out, "--threads", "2"], [out]))
        named = [] if ending == ".npz" else named  # which were linked without
        all_jobs.append(Job(f"verify links {ending}", ["verify", "rows.npy", *named, f"links{ending}"]))
        all_jobs.append(Job(f"convert links {ending}", ["convert", f"links{ending}", "out.tsv"], ["out.tsv"]))
    for ending in tables:
        out = f"out{ending}"
        all_jobs.append(Job(f"lists {ending}", ["link", f"rows{ending}", "--layout", "lists", "-o", out], [out]))
    for ending in [".npy", ".fbin", ".fvecs", ".jsonl"] + tables:
        all_jobs.append(Job(f"convert to {ending}", ["convert", "rows.npy", f"out{ending}"], [f"out{ending}"]))
    for index in ["ivf", "hnsw", "partition"]:
        all_jobs.append(Job(f"index {index}", ["link", "middling.npy", "--index", index, "-o", "out.npz", "-k", "3"],
                            ["out.npz"]))
    all_jobs += [
        Job("symmetric", ["link", "many.npy", "--links", "symmetric", "--similarity-min-q", "0.5", "-o", "out.npz"],
            ["out.npz"]),
        Job("reports", ["link", "rows.npy", "--groups", "topics.txt", "--ids", "words.npy", "--text", "rows.tsv:word",
                        "-o", "out.csv", "--report", "out.json", "--report", "out.html", "--json"],
            ["out.csv", "out.json", "out.html"]),
        Job("explain", ["explain", "rows.npy", "--groups", "topics.txt"]),
        Job("share", ["link", "rows.npy", "--groups", "topics.txt", "--shard", "1/2", "-o", "out.part"], ["out.part"]),
        Job("merge", ["merge", "1.part", "2.part", "-o", "out.csv"], ["out.csv"]),
        Job("inspect part", ["inspect", "1.part"]),
        Job("params", ["link", "rows.npy", "--params", "params.json", "-o", "out.npz"], ["out.npz"]),
    ]
    return all_jobs


def make_inputs(command, folder, parquet):
    fixtures.make_all(folder)
    shutil.copy(folder / "embeddings.db", folder / "rows.db")
    np.save(folder / "middling.npy", np.random.default_rng(2).standard_normal((1200, 4)).astype(np.float32))
    (folder / "params.json").write_text(json.dumps({"n_nearest": 3, "metric": "euclidean"}))

    def link(*arguments):
        subprocess.run([command, "link", "rows.npy", "-q", *arguments], cwd=folder, check=True)

    for ending in [".npz", ".csv", ".tsv", ".jsonl", ".db"] + ([".parquet", ".feather", ".arrows"] if parquet else []):
        if ending == ".npz":
            link("-o", "links.npz", "-k", "3")
        else:
            link("--groups", "rows.tsv:topic", "--id", "word", "-o", f"links{ending}")
    for share in (1, 2):
        link("--groups", "topics.txt", "--shard", f"{share}/2", "-o", f"{share}.part")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and not path.is_symlink()}


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    # Arrow's other pools take memory from the system by themselves, and BLAS is not asked for threads.
    return kept | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"} | more


class Server:
    """A program that waits before its main(): each run is a fork of it."""

    def __init__(self, shim, program, folder, file=""):
        self.folder = folder
        self.out = open(folder / ".stdout", "w+b")
        self.err = open(folder / ".stderr", "w+b")
        ask_read, self.ask = os.pipe()
        answer, answer_write = os.pipe()
        self.answer = os.fdopen(answer)
        self.process = subprocess.Popen(
            program, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err,
            pass_fds=(ask_read, answer_write),
            env=environment(LD_PRELOAD=str(shim), FAULTS_SERVER=f"{ask_read},{answer_write}", FAULTS_FILE=str(file)))
        os.close(ask_read)
        os.close(answer_write)

    def run(self, at, nth, action="fail", argument=0, seconds=GIVE_UP):
        os.write(self.ask, f"{at} {nth} {action} {argument} {seconds}\n".encode())
        line = self.answer.readline()
        if not line:
            self.err.seek(0)
            raise RuntimeError(f"the server is gone: {self.err.read()!r}")
        status, calls, milliseconds = map(int, line.split())
        texts = []
        for stream in (self.out, self.err):
            stream.seek(0)
            texts.append(stream.read())
        killer = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        return Run(code, killer, calls, milliseconds, texts[0], texts[1])

    def close(self):
        os.close(self.ask)
        self.process.wait()
        self.answer.close()
        self.out.close()
        self.err.close()


class Bench:
    """A job in a folder of its own, with what it makes when nothing fails."""

    def __init__(self, shim, command, source, folder, job):
        self.job = job
        self.folder = folder
        self.before = None
        shutil.copytree(source, folder, symlinks=True)
        self.server = Server(shim, [command, *job.arguments], folder)
        run = self.server.run("alloc", 0)
        if run.code != job.code:
            raise RuntimeError(f"{job}: without a fault: {run}")
        self.made = self.outputs()
        self.reset()
        self.before = self.rest()

    def close(self):
        self.server.close()
        shutil.rmtree(self.folder)

    def outputs(self):
        return {name: (self.folder / name).read_bytes() for name in self.job.outputs if (self.folder / name).exists()}

    def rest(self):
        return sorted(name for name in os.listdir(self.folder) if name not in self.job.outputs)

    def reset(self, old=None):
        """Removes what was made; `old`, where given, stands at the place of each output."""
        for name in self.job.outputs:
            path = self.folder / name
            if path.exists():
                path.unlink()
            if old is not None:
                path.write_bytes(old)
        for name in set(self.rest()) - set(self.before or self.rest()):
            (self.folder / name).unlink()

    def faults_of(self, run, codes, old=None):
        """What is wrong after a run: None, or a text. `codes` are the exit codes that a fault may come to."""
        if run.signal:
            return "hangs" if run.signal == signal.SIGALRM else f"dies of {signal.Signals(run.signal).name}"
        if run.code != self.job.code:
            if run.code not in codes:
                return f"exit {run.code}"
            lines = [line for line in run.err.decode(errors="replace").split("\n") if line.startswith("grouplink: ")]
            if len(lines) != 1 or not run.err.endswith(b"\n"):
                return "not one line about it"
        if self.rest() != self.before:
            return f"leaves {sorted(set(self.rest()) - set(self.before))}"
        for name in self.job.outputs:
            path = self.folder / name
            if not path.exists():
                if run.code == self.job.code or old is not None:
                    return f"there is no {name}"
                continue
            got = path.read_bytes()
            if run.code != self.job.code and old is not None and got == old:
                continue
            if not self.whole(name, got):
                return f"{name} is not whole"
        return None

    def whole(self, name, got):
        """Reports and parts tell of times, which differ."""
        if name.endswith(".json"):
            try:
                return isinstance(json.loads(got), dict)
            except ValueError:
                return False
        if name.endswith(".html"):
            return got.rstrip().endswith(b"</html>")
        if name.endswith(".part"):
            return len(got) == len(self.made[name])
        return got == self.made[name]


def places(count, most):
    """Up to `most` of the numbers 1 to count: the first ones, the last ones and some evenly between."""
    if count <= most:
        return list(range(1, count + 1))
    near = most // 4
    middle = np.linspace(near + 1, count - near, most - 2 * near).astype(int).tolist()
    return sorted({*range(1, near + 1), *middle, *range(count - near + 1, count + 1)})
