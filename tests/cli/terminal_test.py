#!/usr/bin/env python3
"""What the command does on a terminal, and when it is interrupted.

    terminal_test.py build/engine/cli/grouplink
"""

import ctypes
import fcntl
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

import numpy as np

COMMAND = ""
GIVE_UP = 240.0  # seconds, for machines that are busy with other things
TGKILL = 234 if os.uname().machine == "x86_64" else 131


def clean_environment(**more):
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    return environment | {"TERM": "xterm"} | more


class Terminal:
    """A run whose standard error is a terminal of the given width."""

    def __init__(self, arguments, folder, columns=80, **environment):
        self.main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen([COMMAND, *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=side, env=clean_environment(**environment),
                                        restore_signals=True, start_new_session=True)
        os.close(side)
        self.text = ""

    def resize(self, columns):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read_until(self, wanted, start=0):
        """Reads on until the text holds `wanted` from `start` on, or the run has ended."""
        end = time.monotonic() + GIVE_UP
        while wanted is None or wanted not in self.text[start:]:
            if not select.select([self.main], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError(f"no {wanted!r} in {self.text!r}")
            try:
                piece = os.read(self.main, 65536)
            except OSError:
                return
            if not piece:
                return
            self.text += piece.decode()

    def finish(self):
        self.read_until(None)
        self.out = self.process.stdout.read().decode()
        self.process.stdout.close()
        self.process.wait(GIVE_UP)
        os.close(self.main)
        return self.process.returncode

    def screen(self):
        """The lines that are on the screen in the end, as carriage returns and line feeds leave them."""
        lines = [""]
        column = 0
        for c in self.text:
            if c == "\r":
                column = 0
            elif c == "\n":
                lines.append("")
                column = 0
            else:
                line = lines[-1].ljust(column)
                lines[-1] = line[:column] + c + line[column + 1:]
                column += 1
        return [line.rstrip() for line in lines]


class OnATerminal(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="grouplink-terminal-")
        self.folder = pathlib.Path(self.scratch.name)
        rng = np.random.default_rng(0)
        np.save(self.folder / "rows.npy", rng.standard_normal((4000, 64), dtype=np.float32))

    def tearDown(self):
        self.scratch.cleanup()

    def make_large(self, rows=60_000):
        rng = np.random.default_rng(0)
        np.save(self.folder / "large.npy", rng.integers(-127, 128, (rows, 256), dtype=np.int8))

    def large_run(self, **more):
        """One that goes on for longer than any test looks at it."""
        self.make_large(rows=400_000)
        (self.folder / "out").mkdir()
        run = Terminal(["link", "large.npy", "-o", "out/links.npz", "--index", "flat"], self.folder, **more)
        run.read_until("knn ")
        return run

    def test_progress_is_shown_and_cleared(self):
        run = Terminal(["link", "rows.npy", "-o", "links.npz"], self.folder)
        self.assertEqual(run.finish(), 0)
        self.assertIn("\rread ", run.text)
        self.assertIn("\rknn ", run.text)
        self.assertIn("\rwrite ", run.text)
        self.assertIn("%", run.text)
        lines = run.screen()
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r"^4,000 rows in 1 group: 60,000 links, cut 0, in .* -> links.npz$")
        self.assertEqual(lines[1], "")
        self.assertEqual(run.out, "")

    def test_each_stage_has_its_time_and_rate(self):
        run = self.large_run()
        run.read_until(" left  ")
        run.process.send_signal(signal.SIGINT)
        run.finish()
        self.assertRegex(run.text, r"\rknn +\d+%  0:0\d  \d+:\d\d left  [\d,]+ rows/s")

    def test_a_terminal_that_becomes_narrow(self):
        run = self.large_run()
        run.read_until(" left  ")
        run.resize(30)
        before = len(run.text)
        for _ in range(4):
            run.read_until("\rknn", len(run.text))
        run.process.send_signal(signal.SIGINT)
        run.finish()
        pieces = run.text[before:].split("\n")[0].split("\r")
        self.assertGreater(len(pieces), 4)
        for piece in pieces[3:]:  # the first may have been under way
            self.assertLess(len(piece), 30, piece)

    def test_convert_verify_and_measure_show_theirs(self):
        self.make_large(rows=15_000)
        for arguments, stage, summary in (
                (["convert", "large.npy", "large.jsonl"], "write", r"^15,000 rows, in [\d.]+ s \(.*write [\d.]+\) -> large.jsonl$"),
                (["link", "large.npy", "-o", "links.npz", "-k", "5", "-q"], None, None),
                (["verify", "large.npy", "links.npz"], "recall", r"^verified in [\d.]+ s \(.*recall [\d.]+\)$"),
                (["explain", "large.npy", "--measure"], "flat", r"^measured in [\d.]+ s \(.*flat [\d.]+.*\)$")):
            with self.subTest(arguments=arguments):
                run = Terminal(arguments, self.folder)
                self.assertEqual(run.finish(), 0)
                if stage is None:
                    continue
                self.assertIn(f"\r{stage} ", run.text)
                self.assertRegex(run.screen()[0], summary)
                self.assertEqual(run.screen()[1:], [""])
                # Of that nothing stands in a pipe, but for what convert made.
                if arguments[0] == "convert":
                    arguments.append("--force")
                done = subprocess.run([COMMAND, *arguments], cwd=self.folder, env=clean_environment(),
                                      capture_output=True, text=True, check=True)
                self.assertEqual(done.stderr, "15,000 rows -> large.jsonl\n" if arguments[0] == "convert" else "")

    def test_no_escape_sequences(self):
        for more in ({}, {"NO_COLOR": "1"}):
            run = Terminal(["link", "rows.npy", "-o", "links.npz", "--force"], self.folder, **more)
            self.assertEqual(run.finish(), 0)
            self.assertNotIn("\x1b", run.text)

    def test_quiet_shows_nothing(self):
        run = Terminal(["link", "rows.npy", "-o", "links.npz", "-q"], self.folder)
        self.assertEqual(run.finish(), 0)
        self.assertEqual(run.text, "")

    def test_a_terminal_that_cannot_rewrite_gets_no_progress(self):
        run = Terminal(["link", "rows.npy", "-o", "links.npz"], self.folder, TERM="dumb")
        self.assertEqual(run.finish(), 0)
        self.assertTrue(run.text.startswith("4,000 rows"), run.text)

    def test_explain_and_inspect_leave_no_trace(self):
        for command in ("explain", "inspect"):
            run = Terminal([command, "rows.npy"], self.folder)
            self.assertEqual(run.finish(), 0)
            self.assertEqual(run.screen(), [""])
            self.assertTrue(run.out.startswith("rows.npy: "), run.out)

    def test_the_line_fits_the_terminal(self):
        for columns in (1, 2, 12, 30):
            run = self.large_run(columns=columns) if columns == 30 else Terminal(
                ["link", "rows.npy", "-o", f"links{columns}.npz"], self.folder, columns=columns)
            if columns == 30:
                run.read_until("0:02")
                run.process.send_signal(signal.SIGINT)
            run.finish()
            progress = run.text.split("\n")[0].rstrip("\r").rsplit("\r", 1)[0]
            for piece in progress.split("\r"):
                self.assertLess(len(piece), max(columns, 2), piece)

    def test_an_error_stands_on_a_line_of_its_own(self):
        np.save(self.folder / "bad.npy", np.full((3, 2), np.nan, dtype=np.float32))
        run = Terminal(["link", "bad.npy", "-o", "links.npz"], self.folder)
        self.assertEqual(run.finish(), 3)
        self.assertTrue(run.screen()[0].startswith("grouplink: bad.npy: "), run.screen())

    def test_signals_end_the_run_and_leave_no_file(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number=number):
                self.tearDown()
                self.setUp()
                run = self.large_run()
                run.process.send_signal(number)
                self.assertEqual(run.finish(), 130)
                self.assertEqual(run.screen(), ["grouplink: interrupted", ""])
                self.assertEqual(os.listdir(self.folder / "out"), [])

    def test_an_interrupted_run_keeps_what_was_there(self):
        self.make_large()
        (self.folder / "links.npz").write_text("old")
        run = Terminal(["link", "large.npy", "-o", "links.npz", "--force"], self.folder)
        run.read_until("knn ")
        run.process.send_signal(signal.SIGINT)
        self.assertEqual(run.finish(), 130)
        self.assertEqual((self.folder / "links.npz").read_text(), "old")

    def test_signals_to_every_thread(self):
        # Libraries start threads before main() with nothing blocked, and the kernel may pick any.
        # kill() with the number of a thread is to the whole process: tgkill is what picks one.
        run = self.large_run()
        tgkill = ctypes.CDLL(None).syscall
        for thread in os.listdir(f"/proc/{run.process.pid}/task"):
            tgkill(TGKILL, run.process.pid, int(thread), signal.SIGINT)
        self.assertEqual(run.finish(), 130)

    def test_a_second_signal_ends_the_process(self):
        run = self.large_run()
        for _ in range(50):
            if run.process.poll() is None:
                run.process.send_signal(signal.SIGTERM)
        self.assertEqual(run.finish(), 130)
        self.assertFalse((self.folder / "out" / "links.npz").exists())

    def test_interrupt_with_standard_input_closed(self):
        self.make_large()
        process = subprocess.Popen(f"exec '{COMMAND}' link large.npy -o links.npz <&-", shell=True,
                                   cwd=self.folder, stderr=subprocess.PIPE, env=clean_environment())
        while process.poll() is None and not self.started(process.pid):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=GIVE_UP)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(err, b"grouplink: interrupted\n")
        self.assertFalse((self.folder / "links.npz").exists())

    def test_an_ignored_signal_stays_ignored(self):
        self.make_large()
        run = subprocess.Popen(["sh", "-c", f"trap '' HUP; exec '{COMMAND}' link large.npy -o links.npz"],
                               cwd=self.folder, stderr=subprocess.PIPE, env=clean_environment())
        while run.poll() is None and not self.started(run.pid):
            time.sleep(0.01)
        run.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIsNone(run.poll())
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=GIVE_UP)
        self.assertEqual(run.returncode, 130, err)

    @staticmethod
    def started(pid):
        """Whether the process catches SIGTERM by now."""
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False
        caught = [line.split()[1] for line in status.split("\n") if line.startswith("SigCgt:")]
        return bool(caught) and bool(int(caught[0], 16) >> (signal.SIGTERM - 1) & 1)

    def test_a_reader_that_goes_away(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        done = subprocess.run([COMMAND, "explain", "rows.npy"], cwd=self.folder, stdout=write_end,
                              stderr=subprocess.PIPE, env=clean_environment(), check=False)
        os.close(write_end)
        self.assertEqual(done.returncode, 5)
        self.assertEqual(done.stderr, b"grouplink: standard output: Broken pipe\n")


if __name__ == "__main__":
    COMMAND = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
