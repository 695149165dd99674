"""Spark sessions: two cores of this process, and a cluster of a master and two workers."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("pyspark") is None:
    collect_ignore_glob = ["*_test.py"]

_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def _spark_class() -> str:
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None and spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "spark-class")


@contextmanager
def _process(log: Path, said: str, name: str, *arguments: str) -> Iterator[str]:
    """A daemon of Spark, from when it has said something until it has ended; what it said."""
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_JAVA_OPTS": _JAVA}
    environment |= {"SPARK_DAEMON_MEMORY": "256m", "PYSPARK_PYTHON": sys.executable}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [_spark_class(), name, "--host", "127.0.0.1", "--webui-port", "0", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    try:
        for _ in range(1200):
            found = re.search(said, log.read_text(errors="replace"))
            if found or process.poll() is not None:
                break
            time.sleep(0.1)
        assert found, log.read_text(errors="replace")
        yield found[0]
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _cluster() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        deploy = "org.apache.spark.deploy"
        url = stack.enter_context(
            _process(
                Path(folder, "master"), r"spark://127\.0\.0\.1:\d+", f"{deploy}.master.Master", "--port", "0"
            )
        )
        for worker in ("first", "second"):
            arguments = [
                "--cores",
                "1",
                "--memory",
                "1g",
                "--work-dir",
                str(Path(folder, f"{worker}-work")),
                url,
            ]
            stack.enter_context(
                _process(
                    Path(folder, worker),
                    "Successfully registered with master",
                    f"{deploy}.worker.Worker",
                    *arguments,
                )
            )
        yield url


def _session(master: str) -> Any:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    settings = {
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": _JAVA,
        "spark.executor.extraJavaOptions": _JAVA,
        "spark.executor.memory": "600m",
        "spark.executor.cores": "1",
        "spark.sql.shuffle.partitions": "2",
        # So few rows are read before code for them is made.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        # To count the bytes that are sent.
        "spark.shuffle.compress": "false",
        "spark.ui.port": "0",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "OFF",
    }
    builder = SparkSession.builder.master(master).appName("grouplink tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


@contextmanager
def _running(where: str) -> Iterator[Any]:
    with ExitStack() as stack:
        session = _session(stack.enter_context(_cluster()) if where == "cluster" else "local[2]")
        try:
            yield session
        finally:
            session.stop()


@pytest.fixture(scope="session")
def session(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Of the kind that the test's parameter says."""
    with _running(request.param) as running:
        yield running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`spark` runs on two cores of this process; with `@on_both` on the cluster as well."""
    if "session" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("on_both")
        metafunc.parametrize(
            "session", ["local", "cluster"] if both else ["local"], indirect=True, scope="session"
        )


@pytest.fixture
def spark(session: Any) -> Any:
    return session


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on_both: runs on two cores of this process and on a cluster")
