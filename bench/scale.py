"""Section `scale`: how the command's time and memory grow with the rows of one group, made up."""

import itertools
import json
import math
import subprocess
import threading
from pathlib import Path

from common import K, make_rows, markdown, median, run_process, say
from settings import Session

SIZES = (100_000, 300_000, 1_000_000)
SMALL_SIZES = (5_000, 10_000, 20_000)
KINDS = ("clustered", "hard")
RECALL_TARGET = 0.95
LIMIT = 7200.0  # seconds: what takes longer is ended and left out
STEP = 0.02  # seconds between two looks at a process's memory


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


def exponents_of(series: list[Run]) -> dict:
    return {"time": growth(series, lambda run: median(run.seconds)),
            "user CPU": growth(series, lambda run: median(run.user)),
            "own memory": growth(series, lambda run: max(run.own))}


def run(session: Session) -> dict:
    runs = [Run(kind, rows, make_rows(session.program, kind, rows, session.folder / f"{kind}-{rows}.npy"))
            for kind in KINDS for rows in (SMALL_SIZES if session.small else SIZES)]
    options = ["--index", "auto", "--recall-target", RECALL_TARGET, "--threads", session.threads]
    for one in runs:  # single runs: the larger ones take long, and growth is told by factors of three
        say(f"scale: {one.kind}, {one.rows:,} rows")
        one.link(session.command, options, session.scratch, LIMIT, 1000)
    text = markdown(HEADER, table(runs)) + "\n"
    exponents, warnings = {}, []
    for kind in KINDS:
        exponents[kind] = exponents_of([one for one in runs if one.kind == kind])
        for what, values in exponents[kind].items():
            text += (f"- {kind}: {what} grows as rows to the power of "
                     f"{', '.join(f'{value:.2f}' for value in values) or 'too few sizes to tell'}\n")
    for one in runs:
        broken = [check["name"] for check in one.verified.get("checks", []) if check["result"] == "broken"]
        if broken:
            warnings.append(f"{one.kind}, {one.rows:,} rows: verify finds broken: {', '.join(broken)}")
        if one.seconds and one.verified["recall"]["high"] < RECALL_TARGET:
            warnings.append(f"{one.kind}, {one.rows:,} rows: recall {one.verified['recall']['recall']:.4f} is below "
                            "the target")
    return {"title": f"Growth: the command, `--index auto`, recall target {RECALL_TARGET}, single runs", "table": text,
            "targets": [], "settings": [], "warnings": warnings,
            "recall_target": RECALL_TARGET, "exponents": exponents, "runs": [one.summary() for one in runs]}
