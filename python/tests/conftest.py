"""What the tests share: the project's sample, and the command where it is built."""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

# OpenMP's threads, of scikit-learn, wait by spinning, which on a busy machine takes minutes.
os.environ["OMP_NUM_THREADS"] = "1"

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def sample() -> pa.Table:
    """5,264 words with float16 embeddings in groups, and their glosses."""
    return pq.read_table(ROOT / "tests" / "data" / "sample.parquet")


@pytest.fixture(scope="session")
def vectors(sample: pa.Table) -> npt.NDArray[Any]:
    column = sample["embedding"].combine_chunks()
    return column.values.to_numpy().reshape(len(column), -1)


@pytest.fixture(scope="session")
def groups(sample: pa.Table) -> list[str]:
    return sample["group"].to_pylist()


@pytest.fixture(scope="session")
def wordnet() -> pathlib.Path:
    """Folder of the vectors and their table: GROUPLINK_BENCH_DATA, or ../shared/data beside a clone."""
    folder = pathlib.Path(os.environ.get("GROUPLINK_BENCH_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "wordnet-384.f16.npy").exists():
        pytest.skip(f"{folder} has no wordnet-384.f16.npy; GROUPLINK_BENCH_DATA may name a folder that has")
    return folder


@pytest.fixture
def command(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """Runs `grouplink link` and returns the path of its output."""
    binary = os.environ.get("GROUPLINK")
    if not binary:
        pytest.skip("GROUPLINK names no command to compare with")

    def run(*arguments: object, output: str = "out.npz") -> pathlib.Path:
        path = tmp_path / output
        line = [binary, "link", *map(str, arguments), "-o", str(path), "--force", "-q"]
        subprocess.run(line, check=True)
        return path

    return run


def brute_force(vectors: npt.NDArray[Any], k: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Neighbours and euclidean distances of each row in double precision; equal ones by row."""
    rows = vectors.astype(np.float64)
    squares = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    order = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return order, np.sqrt(np.take_along_axis(squares, order, axis=1))
