#!/usr/bin/env python3
"""Runs small jobs of every kind again and again, each time with one fault, and checks that each ends by itself,
with the exit code that fits and one line, and leaves whole outputs or none.

    run.py KIND --shim libshim.so --command bin/grouplink [--parquet] [--most N] [--only TEXT]
        [--named]

KIND     alloc: the N-th allocation fails, or all from the N-th on; io: the N-th call on a file fails, or all from
         it on, or transfers are short and interrupted; signals: SIGINT, SIGTERM or SIGHUP at the N-th allocation
         or call; cut: the input is cut short at the N-th allocation or call
--most   places per job and fault at most; 0: every one
--only   jobs whose names hold the text
--named  as on a file system that knows no files without a name
"""

import argparse
import errno
import os
import pathlib
import shutil
import signal
import sys
import tempfile

import faults

OLD = b"what was there before\n"
FAILED, USAGE, BAD_INPUT, MEMORY, IO, INTERRUPTED = 1, 2, 3, 4, 5, 130


class Campaign:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.source = folder / "inputs"
        self.source.mkdir()
        faults.make_inputs(options.command, self.source, options.parquet)
        self.runs = 0
        self.failed = 0
        self.reached = 0

    def all(self, kind):
        for job in faults.jobs(self.options.parquet):
            if self.options.only and self.options.only not in job.name:
                continue
            before = (self.runs, self.failed)
            getattr(self, kind)(job)
            print(f"{job.name}: {self.runs - before[0]} runs, {self.failed - before[1]} failed", flush=True)

    def bench(self, job):
        return faults.Bench(self.options.shim, self.options.command, self.source, self.folder / "job", job)

    def check(self, bench, what, run, codes, old=None):
        self.runs += 1
        self.reached += run.milliseconds >= 0
        wrong = bench.faults_of(run, codes, old)
        if wrong:
            self.failed += 1
            print(f"FAILED {bench.job!r}\n    {what}: {wrong}; exit {run.code}, signal {run.signal}: {run.err!r}",
                  flush=True)
        bench.reset(old)

    def places(self, calls):
        return faults.places(calls, self.options.most or calls)

    def alloc(self, job):
        bench = self.bench(job)
        calls = bench.server.run("alloc", 0).calls
        bench.reset()
        for action in ("fail", "fail_on"):
            for nth in self.places(calls):
                run = bench.server.run("alloc", nth, action, errno.ENOMEM)
                self.check(bench, f"allocation {nth} of {calls}, {action}", run, {MEMORY})
        bench.close()

    def io(self, job):
        forced = [*job.arguments, "--force"] if job.outputs else job.arguments
        bench = self.bench(faults.Job(job.name, forced, job.outputs, job.code))
        old = OLD if job.outputs else None
        for at, reasons in (("open", [errno.EMFILE, errno.EIO]), ("read", [errno.EIO]), ("map", [errno.ENOMEM]),
                            ("write", [errno.ENOSPC, errno.EIO]), ("sync", [errno.EIO, errno.ENOSPC]),
                            ("close", [errno.EIO]), ("rename", [errno.EIO]), ("truncate", [errno.EIO])):
            bench.reset(old)
            calls = bench.server.run(at, 0).calls
            bench.reset(old)
            for action in ("fail", "fail_on"):
                for nth in self.places(calls):
                    for reason in reasons:
                        run = bench.server.run(at, nth, action, reason)
                        what = f"{at} {nth} of {calls}, {action} {errno.errorcode[reason]}"
                        self.check(bench, what, run, {IO, BAD_INPUT, MEMORY}, old)
        for at in ("read", "write"):
            for size in (1, 7, 4096):
                if size == 1 and "db" in job.name:
                    continue  # SQLite gives up a read or write after some hundreds of bytes one by one
                self.check(bench, f"short {at}, {size} bytes", bench.server.run(at, 1, "short", size), set(), old)
        for at in ("read", "write", "open", "sync"):
            run = bench.server.run(at, 1, "again")
            self.check(bench, f"{at} interrupted", run, {IO} if at == "sync" else set(), old)
        bench.close()

    def signals(self, job):
        bench = self.bench(job)
        slowest = 0
        for at in ("alloc", "open", "read", "write", "sync", "rename"):
            calls = bench.server.run(at, 0).calls
            bench.reset()
            for i, nth in enumerate(self.places(calls)):
                number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[i % 3]
                run = bench.server.run(at, nth, "signal", number)
                slowest = max(slowest, run.milliseconds)
                if run.signal == number:  # before it is caught
                    run = run._replace(code=INTERRUPTED, signal=0, err=b"grouplink: interrupted\n")
                self.check(bench, f"{number.name} at {at} {nth} of {calls}", run, {INTERRUPTED})
        print(f"{job.name}: the last run ended {slowest} ms after its signal")
        bench.close()

    def cut(self, job):
        files = [word for word in job.arguments if (self.source / word).is_file()]
        for name in files:
            bench = self.bench(job)
            path = bench.folder / name
            whole = path.read_bytes()
            bench.server.close()
            bench.server = faults.Server(self.options.shim, [self.options.command, *job.arguments], bench.folder, path)
            for at in ("alloc", "open", "read", "map", "write"):
                calls = bench.server.run(at, 0).calls
                bench.reset()
                for nth in self.places(calls):
                    for size in (0, len(whole) // 2 - 1):
                        run = bench.server.run(at, nth, "cut", size)
                        self.check(bench, f"{name} cut to {size} at {at} {nth} of {calls}", run, {BAD_INPUT, IO})
                        path.write_bytes(whole)
            bench.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["alloc", "io", "signals", "cut"])
    parser.add_argument("--shim", required=True, type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--command", required=True, type=lambda text: str(pathlib.Path(text).resolve()))
    parser.add_argument("--parquet", action="store_true")
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--only", default="")
    parser.add_argument("--named", action="store_true")
    options = parser.parse_args()
    if options.named:
        os.environ["FAULTS_NAMED"] = "1"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="grouplink-faults-"))
    try:
        campaign = Campaign(options, folder)
        campaign.all(options.kind)
    finally:
        shutil.rmtree(folder)
    print(f"{campaign.runs} runs, {campaign.reached} of them with a fault, {campaign.failed} failed")
    return 1 if campaign.failed or not campaign.reached else 0


if __name__ == "__main__":
    sys.exit(main())
