#!/usr/bin/env python3
"""Kills runs with SIGKILL at random points and goes on from what they left, until they end: the output is that
of a run that nobody killed, byte for byte, and nothing that stood in the journal was searched again.

    resume_test.py COMMAND [--kills 25] [--seed 0] [--wordnet FOLDER]

Each kill is at a random time, or as soon as the journal, a part of it, or the output's temporary file is there.
Journals are read here too, by a reader of their own, to know what was finished when a run was killed.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np

GIVE_UP = 600.0  # seconds, for machines that are busy with other things
APPROXIMATE = ["--recall-target", "0.9"]


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def number(self):
        self.at += 8
        return struct.unpack_from("<q", self.data, self.at - 8)[0]

    def skip(self, size):
        self.at += size


def journal_groups(path):
    """Of each group that stands whole in a journal, the pairs that were scored for it."""
    data = path.read_bytes()
    if len(data) < 40 or not data.startswith(b"grouplink resume"):
        return {}
    at = 40 + struct.unpack_from("<q", data, 24)[0]
    covered = {}
    whole = {}
    while at + 16 <= len(data):
        size = struct.unpack_from("<q", data, at)[0]
        at += 16
        if at + size > len(data):
            break  # cut short by the kill
        record = Reader(data[at:at + size])
        at += size
        while record.at < size:
            group, first, count, neighbors, _, scored, _ = (record.number() for _ in range(7))
            if record.number():
                record.skip(13 * 8)
                record.skip(record.number())
            record.number()
            record.skip(count * neighbors * (record.number() + 4))
            if covered.get(group, 0) != first and first != 0:
                continue
            covered[group] = first + count
            whole[group] = (covered[group], scored)
    return whole


class Job:
    def __init__(self, command, folder, name, arguments, output):
        self.name = name
        self.command = [command, "link", *map(str, arguments)]
        self.folder = folder / name
        self.folder.mkdir()
        self.output = self.folder / output
        self.journal = self.folder / f".{output}.resume"
        self.report = self.folder / "report.json"
        started = time.monotonic()
        reference = self.folder / f"reference{self.output.suffix}"
        self.run([*self.command, "-o", reference, "-q", "--report", self.report, "--threads", "2"])
        self.seconds = time.monotonic() - started
        self.wanted = reference.read_bytes()
        self.whole = json.loads(self.report.read_text())
        self.sizes = [group["valid_rows"] for group in self.whole["groups"]]
        self.kills = self.rounds = self.taken_over = 0

    @staticmethod
    def run(command):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=GIVE_UP, check=False)
        assert done.returncode == 0, (command, done.returncode, done.stderr)

    def finished(self):
        """How many groups stand whole in the journal, and the pairs scored for them. Of a share, of whose groups
        some are cut, the journal does not say."""
        if self.whole.get("shard"):
            return None
        if not self.journal.exists():
            return 0, 0
        whole = [scored for group, (rows, scored) in journal_groups(self.journal).items()
                 if rows == self.sizes[group]]
        return len(whole), sum(whole)

    def journal_size(self):
        try:
            return self.journal.stat().st_size
        except FileNotFoundError:  # it may go at any moment
            return -1

    def wait_for(self, process, moment, chance):
        """Until the moment has come, or the run has ended."""
        began = time.monotonic()
        wanted = chance.uniform(0.0, 1.2 * self.seconds)
        before = self.journal_size()
        while process.poll() is None:
            if moment == "time" and time.monotonic() - began >= wanted:
                return
            if moment == "journal" and self.journal_size() >= 0:
                return
            if moment == "growth" and self.journal_size() > max(before, 0):
                time.sleep(chance.uniform(0.0, 0.02))
                return
            if moment == "output" and any(".tmp-" in name for name in os.listdir(self.folder)):
                return
            time.sleep(0.0002 if moment != "time" else 0.002)

    def attempt(self, chance, kill):
        """Runs on from the journal; whether it came to its end."""
        finished = self.finished()
        self.report.unlink(missing_ok=True)
        threads = chance.choice(["1", "2"])
        process = subprocess.Popen(list(map(str, [*self.command, "-o", self.output, "--resume", "-q", "--report",
                                                  self.report, "--threads", threads])),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if kill:
            self.wait_for(process, chance.choice(["time", "time", "time", "journal", "growth", "growth", "output"]),
                          chance)
            process.kill()
        _, error = process.communicate(timeout=GIVE_UP)
        if process.returncode == -signal.SIGKILL:
            self.kills += 1
            return False
        assert process.returncode == 0, (self.name, process.returncode, error)
        assert self.output.read_bytes() == self.wanted, f"{self.name}: another output"
        assert not self.journal.exists(), f"{self.name}: the journal was not removed"
        report = json.loads(self.report.read_text())
        resumed = report["resumed"]
        # All that stood in the journal was taken over, and pairs scored before and now are those of one run.
        if finished:
            assert (resumed["groups"], resumed["scored_pairs"]) == finished, (self.name, resumed, finished)
        # Which pairs are scored depends a little on what several threads have found when.
        for count in ("scored_pairs", "researched_rows"):
            assert abs(report[count] - self.whole[count]) <= 4 + self.whole[count] / 1000, (self.name, count, report)
        for count in ("duplicate_rows", "links_found", "links", "cut", "row_status"):
            assert report[count] == self.whole[count], (self.name, count, report[count], self.whole[count])
        for mine, other in zip(report["groups"], self.whole["groups"]):
            assert mine == other, (self.name, mine, other)
        leftovers = [name for name in os.listdir(self.folder) if name.startswith(f".{self.output.name}.tmp-")]
        assert not leftovers, (self.name, leftovers)
        self.taken_over += resumed["groups"]
        return True

    def play(self, chance, kills):
        """Kills so many runs, in rounds of a few, each of which ends with the output."""
        while self.kills < kills:
            self.rounds += 1
            in_a_row = chance.randint(1, 6)
            for _ in range(in_a_row):
                if self.attempt(chance, kill=True):
                    break
                if self.output.exists():  # killed between its output and the end
                    assert self.output.read_bytes() == self.wanted
                    self.output.unlink()
            else:
                self.attempt(chance, kill=False)
            self.output.unlink()
        print(f"{self.name}: {self.kills} kills in {self.rounds} rounds of {self.seconds:.1f} s, "
              f"{self.taken_over} groups taken over, all as one run gives it")


def make_inputs(folder):
    numbers = np.random.default_rng(5)
    centers = numbers.standard_normal((40, 48))
    # Groups of middling size, for every index, with duplicates and a bad row.
    sizes = [4000, 3500, 3000, 2500, 2000, 1500, 1500, 1200, 700, 300, 60, 12, 1]
    rows = sum(sizes)
    vectors = centers[numbers.integers(0, 40, rows)] + 0.5 * numbers.standard_normal((rows, 48))
    vectors[10:400] = vectors[9000:9390]
    vectors[77, 1] = np.nan
    groups = numbers.permutation(np.repeat(np.arange(len(sizes)), sizes))
    np.save(folder / "rows.npy", vectors.astype("f4"))
    np.save(folder / "groups.npy", groups)
    # Tiny groups.
    groups = numbers.permutation(np.repeat(np.arange(12000), numbers.integers(1, 30, 12000)))
    np.save(folder / "tiny.npy", numbers.standard_normal((len(groups), 24)).astype("f2"))
    np.save(folder / "tiny_groups.npy", groups)


def kill_at_random(command, folder, kills, seed, wordnet):
    chance = random.Random(seed)
    make_inputs(folder)
    middling = [folder / "rows.npy", "--groups", folder / "groups.npy", "--on-bad-row", "drop", "-k", "60"]
    jobs = [("flat", [*middling, "--index", "flat"], "links.npz"),
            ("mutual", [*middling, "--metric", "manhattan", "--links", "mutual", "--similarity-min-q", "0.3"],
             "links.csv"),
            ("hnsw", [*middling, "--index", "hnsw", *APPROXIMATE], "links.npz"),
            ("partition", [*middling, "--index", "partition", *APPROXIMATE], "links.npz"),
            ("ivf", [*middling, "--index", "ivf", *APPROXIMATE], "links.npz"),
            ("share", [*middling, "--index", "flat", "--shard", "2/3"], "2.part"),
            ("tiny", [folder / "tiny.npy", "--groups", folder / "tiny_groups.npy"], "links.npz")]
    if wordnet and (wordnet / "wordnet-384.f16.npy").exists():
        words = [wordnet / "wordnet-384.f16.npy", "--groups", f"{wordnet / 'wordnet.tsv'}:group"]
        jobs.append(("wordnet", words, "links.npz"))
    for i, (name, arguments, output) in enumerate(jobs):
        job = Job(command, folder, name, arguments, output)
        job.play(chance, kills * (i + 1) // len(jobs) - kills * i // len(jobs))
        shutil.rmtree(job.folder)
    begin_late(command, folder)


def begin_late(command, folder):
    """A run that nobody asked to keep a journal begins one after ten seconds, of which it sleeps most; when it is
    interrupted it says what to do, and --resume goes on from there."""
    job = Job(command, folder, "late", [folder / "rows.npy", "--groups", folder / "groups.npy", "--on-bad-row", "drop",
                                        "-k", "60", "--metric", "manhattan"], "links.npz")
    for slept in (10.5, 12.0, 14.0):
        process = subprocess.Popen([*job.command, "-o", str(job.output), "--threads", "1"], stderr=subprocess.PIPE,
                                   text=True)
        time.sleep(min(0.5, job.seconds / 3))
        process.send_signal(signal.SIGSTOP)
        assert not job.journal.exists()
        time.sleep(slept)
        process.send_signal(signal.SIGCONT)
        while process.poll() is None and job.journal_size() < 4096:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=GIVE_UP)
        if process.returncode == 0:  # too late
            job.output.unlink()
            continue
        assert process.returncode == 130, (process.returncode, error)
        hint = "interrupted; the same command with --resume goes on from what was found"
        assert hint in error, error
        finished, _ = job.finished()
        assert finished > 0
        assert job.attempt(random.Random(0), kill=False)
        print(f"late: {finished} groups taken over")
        return
    print("late: every run was over too soon")


def main():
    parser = argparse.ArgumentParser(description="Kills runs at random points, and goes on from there.")
    parser.add_argument("command")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wordnet", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="grouplink-resume-") as scratch:
        kill_at_random(os.path.abspath(arguments.command), pathlib.Path(scratch), arguments.kills, arguments.seed,
                       arguments.wordnet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
