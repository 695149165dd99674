"""What the sections share: building, processes that are timed, the machine, tables. See README.md."""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
K = 15
DISAGREES = 2  # what `core` exits with when exact neighbors differ; its report says how
# What is compared from Python, by the module that it is imported as.
PACKAGES = {"faiss": "faiss-cpu", "hnswlib": "hnswlib", "matplotlib": "matplotlib", "pynndescent": "pynndescent",
            "sklearn": "scikit-learn", "usearch": "usearch"}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def make_environment(folder: Path) -> Path:
    """A virtual environment with all that is compared; what is there is used as it is. Gives its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"making a Python environment in {folder}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if missing := missing_modules(python, [*PACKAGES, "numpy", "pyarrow", "scipy"]):
        say(f"installing what gives {', '.join(missing)}")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", ROOT / "cmake" / "requirements.txt",
                        "-r", BENCH / "requirements.txt"], check=True)
    return python


def missing_modules(python: Path, modules: list) -> list[str]:
    look = "import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if not u.find_spec(m)])"
    return subprocess.run([python, "-c", look, *modules], capture_output=True, text=True, check=True).stdout.split()


def build(folder: Path, python: Path) -> None:
    configure = ["cmake", "-S", ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DGROUPLINK_BENCH=ON",
                 "-DGROUPLINK_TESTS=OFF", "-DGROUPLINK_BENCH_ANNOY=ON", f"-DPython3_EXECUTABLE={python}",
                 f"-DGROUPLINK_PYTHON={python}"]
    if shutil.which("ninja") and not (folder / "CMakeCache.txt").exists():
        configure += ["-G", "Ninja"]
    if shutil.which("ccache"):
        configure.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    configure += os.environ.get("GROUPLINK_CMAKE_ARGS", "").split()
    subprocess.run(configure, check=True, stdout=sys.stderr)
    subprocess.run(["cmake", "--build", folder, "--parallel", "2", "--target", "bench_core", "grouplink_command"],
                   check=True, stdout=sys.stderr)


class Failure(Exception):
    """A process that was to succeed did not."""


@dataclass
class Finished:
    """A process that has ended."""

    seconds: float  # from start to end
    user: float  # processor seconds in its own code
    system: float  # processor seconds in the system's
    peak: int  # highest resident bytes, mapped files included
    output: str  # what it wrote to stdout


def run_process(command: list, watch=None, allowed: tuple = (0, DISAGREES), env: dict | None = None) -> Finished:
    """Runs a command to its end; `watch` is called with the process, once it runs; `env` is added to ours."""
    begun = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})})
    if watch:
        watch(process)
    with process.stdout:
        output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        say(output)
        raise Failure(f"{' '.join(map(str, command))}: exit code {process.returncode}")
    return Finished(seconds, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024, output)


def make_rows(program: Path, kind: str, rows: int, path: Path) -> Path:
    """Made-up float16 rows in a .npy, made once; see `core --data`."""
    if not path.exists():
        say(f"making {rows:,} rows: {path}")
        prefix = path.with_name(f"{path.stem}.new")
        run_process([program, "--data", kind, "--rows", rows, "--save-data", prefix])
        Path(f"{prefix}.groups.npy").unlink()
        Path(f"{prefix}.npy").rename(path)
    return path


def cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()


def has_avx512() -> bool:
    try:
        return " avx512f " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def machine_load() -> float:
    """How busy the machine is; warns when it is."""
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"WARNING: the machine is busy (load {load:.1f}): trust ratios, not seconds")
    return load


def median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table that can be read as it is."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths))} |"
             for row in [header, ["-" * width for width in widths], *rows]]
    return "\n".join(lines) + "\n"


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")
    say(f"written: {path}")
