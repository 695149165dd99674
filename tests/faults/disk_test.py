#!/usr/bin/env python3
"""Disks that are full, and places that are no place for an output: an error, nothing half-written, and what was
there before as it was, byte for byte.

    disk_test.py build/bin/grouplink [--parquet]
"""

import os
import pathlib
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

COMMAND = ""
TABLES = [".parquet", ".feather", ".arrows"] if "--parquet" in sys.argv else []
LINKS = [".npz", ".csv", ".tsv", ".jsonl", ".db"] + TABLES
ROWS = [".npy", ".fbin", ".fvecs", ".jsonl"] + TABLES
OLD = b"what was there before\n"
DISK = 96 << 10  # smaller than any of the outputs
AS_USER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class Disk(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="grouplink-disk-")
        self.folder = pathlib.Path(self.scratch.name)
        self.folder.chmod(0o755)
        np.save(self.folder / "rows.npy", np.random.default_rng(3).standard_normal((3000, 16)).astype(np.float32))
        self.run_("link", "rows.npy", "-q", "-o", "links.npz")
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.mounted = False

    def tearDown(self):
        if self.mounted:
            subprocess.run(["umount", self.disk], check=True)
        self.scratch.cleanup()

    def mount(self):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0777", "tmpfs", self.disk],
                              capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"no disk can be mounted here: {done.stderr.decode().strip()}")
        self.mounted = True

    def run_(self, *arguments, **more):
        return subprocess.run([COMMAND, *arguments], cwd=self.folder, capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=60, check=False, **more)

    def fails(self, arguments, made, pattern, **more):
        """`made`, an old file or none, is what it was, and nothing is beside it."""
        before = {path: path.read_bytes() for path in self.disk.iterdir() if path.is_file()}
        with self.subTest(arguments=arguments):
            done = self.run_(*arguments, **more)
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertRegex(done.stderr.decode(), rf"(?m)^grouplink: {made}: {pattern}$")
            self.assertEqual({path: path.read_bytes() for path in self.disk.iterdir() if path.is_file()}, before)

    def all_outputs(self, pattern, **more):
        for old in (False, True):
            for command, endings in ((["link", "rows.npy", "-q", "-o"], LINKS),
                                     (["convert", "links.npz"], [e for e in LINKS if e != ".npz"]),
                                     (["convert", "rows.npy"], [e for e in ROWS if e != ".npy"])):
                for ending in endings:
                    made = f"disk/out{ending}"
                    if old:
                        (self.folder / made).write_bytes(OLD)
                    self.fails([*command, made, *(["--force"] if old else [])], made, pattern, **more)
                    (self.folder / made).unlink(missing_ok=True)
            part = "disk/out.part"
            self.fails(["link", "rows.npy", "--shard", "1/2", "-o", part, "-q"], part, pattern, **more)

    def test_full_disk(self):
        self.mount()
        self.all_outputs(r"cannot write: No space left on device")

    def test_files_of_limited_size(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (DISK, DISK))

        # SQLite has the kernel's own word for it; the others too.
        self.all_outputs(r"(cannot write: .*|disk I/O error)", preexec_fn=limit)

    def test_full_disk_while_a_database_is_updated(self):
        self.mount()
        np.save(self.folder / "few.npy", np.random.default_rng(4).standard_normal((20, 16)).astype(np.float32))
        self.assertEqual(self.run_("link", "few.npy", "-q", "-o", "disk/out.db").returncode, 0)
        self.fails(["link", "rows.npy", "-q", "-o", "disk/out.db", "--update"], "disk/out.db",
                   "cannot write: No space left on device")

    def test_reports(self):
        self.mount()
        (self.disk / "filler").write_bytes(bytes(DISK - (8 << 10)))
        for name in ("report.json", "report.html"):
            for old in (False, True):
                if old:
                    (self.disk / name).write_bytes(OLD)
                groups = [f"--groups=groups.txt"]
                (self.folder / "groups.txt").write_text("".join(f"{i // 2}\n" for i in range(3000)))
                self.fails(["link", "rows.npy", "-q", *groups, "-o", "out.npz", "--force", "--report", f"disk/{name}"],
                           f"disk/{name}", "cannot write: No space left on device")
                # The links were whole before.
                self.assertEqual(self.run_("verify", "rows.npy", "out.npz", *groups).returncode, 0)

    def test_standard_output(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([COMMAND, "explain", "rows.npy"], cwd=self.folder, stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 5)
        self.assertEqual(done.stderr, b"grouplink: standard output: No space left on device\n")

    def test_places_that_are_none(self):
        (self.disk / "loop.npz").symlink_to("loop.npz")
        (self.disk / "dangling.npz").symlink_to("nowhere")
        (self.disk / "folder.npz").mkdir()
        os.mkfifo(self.disk / "fifo.npz")
        (self.disk / "zero.npz").symlink_to("/dev/zero")
        (self.disk / "status.npz").symlink_to("/proc/self/status")
        (self.disk / "input.npz").symlink_to("../rows.npy")
        os.link(self.folder / "rows.npy", self.disk / "same.npz")
        before = (self.folder / "rows.npy").read_bytes()
        for name in ("loop.npz", "dangling.npz", "folder.npz", "fifo.npz", "zero.npz", "status.npz", "input.npz",
                     "same.npz", "no/out.npz", "folder.npz/", "folder.npz/.", "folder.npz/.."):
            for force in ([], ["--force"]):
                with self.subTest(name=name, force=force):
                    done = self.run_("link", "rows.npy", "-q", "-o", f"disk/{name}", *force)
                    self.assertIn(done.returncode, (2, 5), done.stderr)
                    self.assertRegex(done.stderr, rb"\Agrouplink: [^\n]+\n\Z")
                    report = f"disk/{name}".replace(".npz", ".json")
                    if (self.disk / name).is_symlink():
                        os.rename(self.disk / name, self.folder / report)
                        # A report's place is looked at before the work too: the links are not made.
                        done = self.run_("link", "rows.npy", "-o", "out.npz", "--report", report, *force)
                        os.rename(self.folder / report, self.disk / name)
                        self.assertIn(done.returncode, (2, 5), done.stderr)
                        self.assertFalse((self.folder / "out.npz").exists())
        self.assertEqual((self.folder / "rows.npy").read_bytes(), before)
        self.assertEqual(self.run_("link", "rows.npy", "-o", "/proc/out.npz").returncode, 5)

    def test_folders_that_may_not_be_written_to(self):
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("wants root, to become somebody else")
        for mode in (0o555, 0o444, 0o000):
            self.disk.chmod(mode)
            done = subprocess.run([*AS_USER, COMMAND, "link", "rows.npy", "-o", "disk/out.npz"], cwd=self.folder,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertRegex(done.stderr, rb"\Agrouplink: disk/out.npz: [^\n]+Permission denied\n\Z")
        self.disk.chmod(0o755)
        self.assertEqual(list(self.disk.iterdir()), [])

    def test_a_name_in_a_folder_that_all_may_write_to(self):
        """What others have put there under any name is neither followed nor touched."""
        self.disk.chmod(0o1777)
        victim = self.folder / "victim"
        victim.write_bytes(OLD)
        for name in (".out.db.tmp", ".out.db.tmp-1-aaaaaa", "out.db-journal", "out.db-wal"):
            (self.disk / name).symlink_to(victim)
        for ending in (".npz", ".db"):
            done = self.run_("link", "rows.npy", "-q", "-o", f"disk/out{ending}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(stat.S_IMODE((self.disk / f"out{ending}").stat().st_mode) & 0o022, 0)
        self.assertEqual(victim.read_bytes(), OLD)


if __name__ == "__main__":
    COMMAND = str(pathlib.Path(sys.argv.pop(1)).resolve())
    sys.argv = [argument for argument in sys.argv if argument != "--parquet"]
    unittest.main()
