"""A job as it runs: progress, Ctrl-C, threads, forks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import grouplink

ROWS = np.random.default_rng(8).standard_normal((4000, 32), np.float32)
LONG = "numpy.random.default_rng(0).standard_normal((60_000, 512), numpy.float32)"  # takes many seconds


def run_python(code: str) -> str:
    """What a process of its own prints; away from this folder, whose grouplink is not the installed one."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_progress_is_told_in_order():
    told = []
    links = grouplink.link(ROWS, progress=lambda *news: told.append((*news, threading.get_ident())))
    stages = list(dict.fromkeys(stage for stage, *_ in told))
    assert "knn" in stages and set(stages) <= {stage["name"] for stage in links.report["stages"]}
    assert all(0 <= done <= total == 4000 for _, done, total, _ in told)
    assert {thread for *_, thread in told} == {threading.get_ident()}


def test_what_progress_raises_comes_out():
    class Enough(Exception):
        pass

    def stop(stage, done, total):
        raise Enough(stage)

    with pytest.raises(Enough):
        grouplink.link(ROWS, progress=stop)
    assert len(grouplink.link(ROWS)) == 60_000


def test_progress_bars(capsys):
    pytest.importorskip("tqdm")
    grouplink.link(ROWS, progress=True)
    assert "knn" in capsys.readouterr().err


def test_progress_bars_need_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="pip install tqdm"):
        grouplink.link(ROWS, progress=True)


@pytest.mark.parametrize("call", ["grouplink.link(rows)", "grouplink.link(rows, progress=lambda *_: None)"])
def test_interrupt(call):
    code = f"""
import signal, sys, time, numpy, grouplink
rows = {LONG}
print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", time.time(), flush=True)
rows = rows[:100]
print(len(grouplink.link(rows)))
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd="/", stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    said, links = out.splitlines()
    assert said.startswith("interrupted") and links == "1500"
    # Machines that run the tests are busy; what is held here is that nobody waits for the job's end.
    assert float(said.split()[1]) - sent < 5


def test_other_threads_run_meanwhile():
    code = f"""
import threading, time, numpy, grouplink
rows = {LONG}
def tick():
    for _ in range(20):
        time.sleep(0.01)
    print("ticked", flush=True)
class Done(Exception): pass
def stop(*_):
    if not thread.is_alive(): raise Done
thread = threading.Thread(target=tick)
thread.start()
try:
    grouplink.link(rows, threads=1, progress=stop)
except Done:
    print("stopped")
"""
    assert run_python(code).split() == ["ticked", "stopped"]


def test_several_at_once():
    wanted = grouplink.link(ROWS, n_nearest=4)
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda threads: grouplink.link(ROWS, n_nearest=4, threads=threads), [1, 2, 3, 1, 2, 3])
        )
    for links in found:
        assert links.targets.tobytes() == wanted.targets.tobytes()
        assert links.weights.tobytes() == wanted.weights.tobytes()


def link_again(seed):
    return grouplink.link(ROWS, n_nearest=4, seed=seed).targets.tobytes()


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_link_too(context):
    wanted = link_again(0)
    with multiprocessing.get_context(context).Pool(2) as pool:
        found = pool.map_async(link_again, range(4)).get(timeout=120)
    assert found == [wanted] * 4


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_while_a_job_runs():
    """The child has none of the job's threads, and must not wait for them."""
    begun = threading.Event()
    thread = threading.Thread(target=lambda: grouplink.link(ROWS, progress=lambda *_: begun.set()))
    thread.start()
    begun.wait(60)
    child = os.fork()
    if child == 0:
        time.sleep(0.01)
        os._exit(0 if len(ROWS) == 4000 else 1)
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


def test_blas_keeps_to_one_thread():
    """OpenBLAS would start its own in each worker."""
    code = """
import os, numpy, grouplink
rows = numpy.random.default_rng(0).standard_normal((8000, 64), numpy.float32)
most = 0
def look(*_):
    global most
    most = max(most, len(os.listdir("/proc/self/task")))
before = len(os.listdir("/proc/self/task"))
grouplink.link(rows, threads=2, progress=look)
grouplink.link(rows, threads=2, index="ivf", progress=look)
print(most - before)
"""
    assert int(run_python(code)) <= 2


def test_memory_that_is_not_there():
    code = """
import resource, numpy, grouplink
rows = numpy.ones((200_000, 4), numpy.float32)
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
try:
    grouplink.link(rows, n_nearest=100_000, threads=1)
except MemoryError:
    print("memory")
"""
    assert run_python(code) == "memory\n"
