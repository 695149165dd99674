"""What is measured: a method with its knobs, and how often it was run, in what time, with what recall."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from common import BENCH, K, Failure, markdown, median, run_process, say
from peer import EXACT

RECALLS = (0.945, 0.988, 0.99)
# The OpenBLAS of some releases does not know newer CPUs, and takes its kernels for AVX2 there.
AVX512_BLAS, AVX512_ENV = ", its BLAS told AVX-512", {"OPENBLAS_CORETYPE": "SkylakeX"}
AVX2_ENV = {"GROUPLINK_ISA": "avx2", "FAISS_SIMD_LEVEL": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}


@dataclass
class Session:
    """Where the programs are and how the runs are to be."""

    folder: Path  # of the build
    python: Path
    scratch: Path
    threads: int
    runs: int
    small: bool
    long: float  # seconds: what takes longer is not run again
    methods: str  # a regular expression
    missing: list[str]  # modules that `python` lacks
    versions: dict = field(default_factory=dict)  # of all that ran

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "core"

    @property
    def command(self) -> Path:
        return self.folder / "bin" / "grouplink"

    def core(self, *arguments, env: dict | None = None) -> dict:
        """Runs the program `core` once and gives its report."""
        report = self.scratch / "core.json"
        run_process([self.program, *arguments, "--runs", 1, "-k", K, "--threads", self.threads, "--json", report],
                    env=env)
        return json.loads(report.read_text())

    def wanted(self, settings: list) -> list:
        return [setting for setting in settings if re.search(self.methods, setting.name)]


@dataclass
class Data:
    """Rows of a .npy, their groups beside it, or as one group; and their exact neighbors, of some rows."""

    name: str
    vectors: Path
    groups: str | None  # FILE.tsv:COLUMN or a .npy; None: one group
    rows: int
    truth: Path | None = None
    every: int = 1  # the truth is of every so-manieth row
    exact: Path | None = None  # neighbors of all rows, by the first exact method

    @property
    def core(self) -> list:
        return ["--data", self.vectors, *(["--groups-file", self.groups] if self.groups else ["--one-group"])]

    @property
    def link(self) -> list:
        return [self.vectors, *(["--groups", self.groups] if self.groups else [])]

    @property
    def peer(self) -> list:
        return [self.vectors, *(["--groups-file", self.groups] if self.groups else [])]

    def find_truth(self, session: Session, rows: int) -> None:
        """By brute force in double precision, of a fixed sample; warms up the file cache as well."""
        self.every = max(1, self.rows // rows)
        self.truth = session.scratch / "truth.i64"
        say(f"{self.name}: brute force in double precision on every {self.every}th row")
        session.core(*self.core, "--method", f"brute:{self.every}", "--save", self.truth)


class Setting:
    """A method with one set of knobs, and its runs. `anchor`: run as often as asked for, whatever it reaches."""

    def __init__(self, method: str, knobs: str, env: dict | None = None, anchor: bool = False):
        self.method, self.knobs, self.env, self.anchor = method, knobs, env or {}, anchor
        self.core: list[float] = []
        self.cpu: list[float] = []
        self.whole: list[float] = []
        self.peak = self.added = 0
        self.accuracy: dict = {}
        self.details: dict = {}
        self.failed = ""

    @property
    def name(self) -> str:
        return f"{self.method} {self.knobs}".strip()

    @property
    def seconds(self) -> float:
        return median(self.core)

    @property
    def recall(self) -> float:
        return self.accuracy["recall"]

    def note_memory(self, peak: int, before: int) -> None:
        self.peak, self.added = max(self.peak, peak), max(self.added, peak - before)

    def judge(self, session: Session, data: Data, found: Path, exact: bool) -> None:
        """By the sample, and an exact method by another one on all rows."""
        saved = ["--method", f"saved:{found}"]
        judged = session.core(*data.core, *saved, "--compare", data.truth, "--every", data.every)
        self.accuracy = judged["methods"][0]["accuracy"]
        if not exact:
            return
        if not self.accuracy["exact"]:
            self.details["warning"] = f"differs from brute force: {self.accuracy}"
        if data.exact is None:
            data.exact = found.rename(session.scratch / "exact.i64")
        else:
            other = session.core(*data.core, *saved, "--compare", data.exact)["methods"][0]["accuracy"]
            if not other["exact"]:
                self.details["warning"] = f"differs from another exact method on all rows: {other}"

    def summary(self) -> dict:
        return {"method": self.method, "knobs": self.knobs, "environment": self.env, "failed": self.failed,
                "recall": self.accuracy.get("recall"), "accuracy": self.accuracy, "core_seconds": self.core,
                "core_median": median(self.core), "cpu_seconds": self.cpu, "whole_seconds": self.whole,
                "whole_median": median(self.whole), "peak_memory_bytes": self.peak,
                "added_memory_bytes": self.added, **self.details}


class Core(Setting):
    """A method of the program `core`: grouplink with an index, FAISS or Annoy in C++. With `command`, the whole
    process of grouplink's is run as well: reading the rows, linking, writing an NPZ."""

    def __init__(self, method: str, knobs: str, arguments: list, command: bool = False, **more):
        super().__init__(method, knobs, **more)
        self.arguments, self.command = arguments, command

    def run(self, session: Session, data: Data) -> None:
        first, found = not self.core, session.scratch / "found.i64"
        result = session.core(*data.core, *self.arguments, *(["--save", found] if first else []), env=self.env)
        method = result["methods"][0]
        self.core.append(method["seconds"][0])
        self.cpu.append(method["cpu_seconds"][0])
        self.note_memory(method["peak_memory_bytes"], result["memory_before_bytes"])
        if method["method"] == "grouplink":
            session.versions["grouplink"] = result["grouplink"]
            self.details |= {name: method[name] for name in ("isa", "stages", "search", "busy_shares", "busy_trace")}
        elif method["method"] == "faiss":
            session.versions["FAISS in C++"] = result["faiss"]
        else:
            session.versions["Annoy"] = "1.17.3"
        if first:
            self.judge(session, data, found, method["exact"])
        if self.command:
            report = session.scratch / "report.json"
            process = run_process([session.command, "link", *data.link, "-o", session.scratch / "links.npz", "--force",
                                   "-q", "-k", K, "--threads", session.threads, "--report", report, *self.arguments],
                                  allowed=(0,), env=self.env)
            self.whole.append(process.seconds)
            links = json.loads(report.read_text())["links"]
            promised = 4 * data.rows * result["dim"] + 12 * links + 8 * data.rows
            self.details |= {"command_peak_memory_bytes": process.peak, "command_memory_ratio": process.peak / promised}


class Peer(Setting):
    """Another library, from Python."""

    def __init__(self, method: str, knobs: str = "", way: str = "inside", label: str = "", **more):
        super().__init__(f"{method}{label}", knobs, **more)
        self.library, self.way = method, way

    def run(self, session: Session, data: Data) -> None:
        first, found = not self.core, session.scratch / "found.i64"
        process = run_process([session.python, BENCH / "peer.py", *data.peer, "--method", self.library, "--knobs",
                               self.knobs, "--way", self.way, "--threads", session.threads, "-k", K, "--save", found],
                              allowed=(0,), env=self.env)
        result = json.loads(process.output)
        self.core.append(result["core"])
        self.cpu.append(result["cpu"])
        self.whole.append(process.seconds)
        self.note_memory(result["peak_memory_bytes"], result["memory_before_bytes"])
        session.versions |= result["versions"]
        if first:
            self.judge(session, data, found, self.library in EXACT)

    def lacks(self, session: Session) -> str:
        module = self.library.split("-")[0]
        return module if module in session.missing else ""


def fastest(settings: list[Setting], recall: float = 0.0) -> Setting | None:
    """Of those that reach the recall."""
    reach = [setting for setting in settings if setting.core and setting.recall >= recall]
    return min(reach, key=lambda setting: setting.seconds, default=None)


def by_method(settings: list[Setting]) -> dict[str, list[Setting]]:
    methods: dict[str, list[Setting]] = {}
    for setting in settings:
        if setting.core:
            methods.setdefault(setting.method, []).append(setting)
    return methods


def measure(session: Session, data: Data, settings: list[Setting]) -> list[Setting]:
    """Runs every setting once; then, in turn and as often as asked for, those that count: the anchors, and of
    each method the fastest at each recall. Gives those that ran."""
    able = []
    for setting in session.wanted(settings):
        lack = setting.lacks(session) if isinstance(setting, Peer) else ""
        if lack:
            say(f"left out: {setting.name}: {session.python} has no {lack}")
        else:
            able.append(setting)
    for run in range(session.runs):
        turn = [setting for setting in able if not setting.failed]
        if run == 1:
            best = {id(fastest(group, recall)) for group in by_method(able).values() for recall in RECALLS}
            again = [setting for setting in turn if setting.anchor or id(setting) in best]
        if run > 0:
            turn = [setting for setting in again if setting.core[0] <= session.long and not setting.failed]
        for setting in turn:
            say(f"{data.name}: run {run + 1} of {session.runs}: {setting.name}")
            try:
                setting.run(session, data)
            except (Failure, json.JSONDecodeError) as failure:
                setting.failed = str(failure)
                say(f"WARNING: {setting.name}: {failure}")
    return [setting for setting in able if setting.core]


def settings_table(settings: list[Setting], baseline: float | None) -> str:
    rows = [[setting.method, setting.knobs.replace(",", " "), f"{setting.recall:.4f}", f"{setting.seconds:.3f}",
             f"{min(setting.core):.3f} to {max(setting.core):.3f}" if len(setting.core) > 1 else "once",
             f"{setting.seconds / baseline:.2f}" if baseline else "", f"{median(setting.cpu):.2f}",
             f"{median(setting.whole):.2f}" if setting.whole else "", f"{setting.added / 1e6:.0f}",
             f"{setting.peak / 1e6:.0f}"] for setting in settings]
    return markdown(["method", "knobs", f"recall@{K}", "core s", "min to max", "ratio", "CPU s", "whole s", "added MB",
                     "peak MB"], rows)


def target(what: str, wanted: float, reached: float | None, most: bool = False) -> dict:
    """A target of a ratio: at least `wanted`, or at most."""
    met = None if reached is None else (reached <= wanted if most else reached >= wanted)
    return {"what": what, "wanted": f"{'<=' if most else '>='} {wanted:g}", "reached": reached, "met": met}


def ratio(slower: Setting | None, faster: Setting | None) -> float | None:
    return slower.seconds / faster.seconds if slower and faster else None
