#!/usr/bin/env python3
"""What the shells complete, asked of the shells themselves; those that are not installed are left out.

    completions_test.py build/bin/grouplink
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

COMMAND = ""
GIVE_UP = 60.0  # seconds, for machines that are busy with other things
FILES = ["links.npz", "notes.txt", "report.json", "rows.npy", "rows.parquet", "rows.tsv", "two words.npy"]
COMMANDS = ["completions", "convert", "explain", "inspect", "link", "man", "merge", "verify"]


def printed(*arguments):
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=True).stdout


def long_flags(command):
    """As the help lists them."""
    return sorted(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", printed(command, "--help"), re.MULTILINE))


class Shell:
    """What every shell has to answer. A shell's own class says how it is asked."""

    def setUp(self):
        if shutil.which(self.shell) is None:
            self.skipTest(f"{self.shell} is not installed")
        self.scratch = tempfile.TemporaryDirectory(prefix="grouplink-completions-")
        self.folder = pathlib.Path(self.scratch.name).resolve()
        (self.folder / "work" / "folder").mkdir(parents=True)
        for name in FILES:
            (self.folder / "work" / name).touch()
        self.script = self.folder / "functions" / self.file
        self.script.parent.mkdir()
        self.script.write_text(printed("completions", self.shell))

    def tearDown(self):
        if hasattr(self, "scratch"):
            self.scratch.cleanup()

    def check(self, typed, expected):
        """`typed` are the words, of which the last is to be completed."""
        self.assertEqual(sorted(set(self.complete(typed))), sorted(expected), typed)

    def test_commands(self):
        self.check([""], COMMANDS)
        self.check(["li"], ["link"])
        self.check(["frob"], [])
        self.check(["frob", ""], [])
        self.check(["--v"], ["--version"])

    def test_flags_are_those_of_the_help(self):
        for command in COMMANDS:
            flags = set(long_flags(command))
            self.assertGreater(len(flags), 0)
            self.assertEqual({word for word in self.complete([command, "--"]) if word.startswith("--")}, flags)
        self.check(["link", "--me"], ["--memory", "--metric"])
        self.check(["explain", "--me"], ["--measure", "--memory", "--metric"])
        self.check(["inspect", "--met"], [])

    def test_what_was_given_is_not_offered_again(self):
        self.check(["link", "--metric", "dot", "--met"], [])
        self.check(["link", "-k", "3", "--n-n"], [])
        self.check(["link", "--metric=dot", "--met"], [])

    def test_values(self):
        self.check(["link", "--metric", ""], ["angular", "dot", "euclidean", "hamming", "manhattan"])
        self.check(["link", "rows.npy", "--metric", "e"], ["euclidean"])
        self.check(["link", "--index", ""], ["auto", "flat", "hnsw", "ivf", "partition"])
        self.check(["link", "--similarity", "c"], ["cosine"])
        self.check(["convert", "--layout", ""], ["edges", "lists"])
        self.check(["completions", ""], ["bash", "fish", "zsh"])

    def test_values_behind_an_equals_sign(self):
        self.check(["link", "--metric=d"], ["dot"])
        self.check(["link", "--metric="], ["angular", "dot", "euclidean", "hamming", "manhattan"])

    def test_nothing_where_nothing_is_known(self):
        for flag in ("--group", "--n-nearest", "-k", "--similarity-min", "--seed"):
            self.check(["link", flag, ""], [])

    def test_files(self):
        rows = ["folder/", "rows.npy", "rows.parquet", "two words.npy"]
        self.check(["link", ""], rows)
        self.check(["link", "rows."], ["rows.npy", "rows.parquet"])
        self.check(["explain", "--metric", "dot", ""], rows)
        self.check(["verify", "-k", "3", "rows.npy", "l"], ["links.npz"])
        self.check(["link", "--params", ""], ["folder/", "report.json"])
        self.check(["link", "--groups", ""], ["folder/", *FILES])
        self.check(["link", "rows.npy", "-o", "l"], ["links.npz"])
        self.check(["link", "rows.npy", "--output=l"], ["links.npz"])
        self.check(["link", "--groups", "nowhere/"], [])
        (self.folder / "work" / "folder" / "deep.npy").touch()
        self.check(["link", "folder/"], ["folder/deep.npy"])
        self.check(["link", "two"], ["two words.npy"])


class Bash(Shell, unittest.TestCase):
    shell = "bash"
    file = "grouplink.bash"

    def complete(self, typed):
        words = ["grouplink"]
        for word in typed:  # readline breaks words at "="
            words += [part for part in re.split("(=)", word) if part] or [""]
        program = (f"source {self.script}; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); "
                   "_grouplink; printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "--norc", "-c", program, "bash", *words], cwd=self.folder / "work",
                              capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.stderr, "")
        # The slash behind a folder is readline's.
        names = [line for line in done.stdout.split("\n") if line]
        return [f"{name}/" if (self.folder / "work" / name).is_dir() and not name.endswith("/") else name
                for name in names]

    def test_words_with_a_colon(self):
        # readline breaks words there as well: the column is nobody's to complete, and no operand.
        program = ["link", "--groups", "rows.tsv", ":", "to"]
        self.check(program, [])
        self.check([*program, "rows.n"], ["rows.npy"])

    def test_tilde(self):
        home = self.folder / "work"
        program = (f"source {self.script}; HOME={home}; COMP_WORDS=(grouplink link '~/fo'); COMP_CWORD=2; "
                   "_grouplink; printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, check=True)
        self.assertIn(done.stdout, ("~/folder\n", f"{home}/folder\n"))

    def test_readline(self):
        """With a real readline: quoting and the slash behind a folder."""
        main, side = pty.openpty()
        environment = os.environ | {"TERM": "dumb", "PS1": "", "INPUTRC": "/dev/null"}
        run = subprocess.Popen(["bash", "--norc", "--noprofile", "-i"], cwd=self.folder / "work", stdin=side,
                               stdout=side, stderr=side, env=environment, start_new_session=True)
        os.close(side)
        os.write(main, f"source {self.script}\ngrouplink() {{ printf '<%s>' \"$@\"; }}\n"
                 "grouplink link tw\t -o fol\tx --metric=eu\t; exit\n".encode())
        text = ""
        end = time.monotonic() + GIVE_UP
        while "<euclidean>" not in text and "=euclidean>" not in text and time.monotonic() < end:
            if select.select([main], [], [], 1)[0]:
                try:
                    text += os.read(main, 65536).decode()
                except OSError:
                    break
        run.wait(GIVE_UP)
        os.close(main)
        self.assertIn("<link><two words.npy><-o><folder/x><--metric=euclidean>", text)


class Fish(Shell, unittest.TestCase):
    shell = "fish"
    file = "grouplink.fish"

    def complete(self, typed):
        line = " ".join(["grouplink", *typed])
        done = subprocess.run(["fish", "--no-config", "-c", f"source {self.script}; complete -C '{line}'"],
                              cwd=self.folder / "work", capture_output=True, text=True, check=True,
                              env=os.environ | {"HOME": str(self.folder)}, stdin=subprocess.DEVNULL)
        self.assertEqual(done.stderr, "")
        names = [text.split("\t")[0] for text in done.stdout.split("\n") if text]
        # Where words are completed behind "--metric=", fish gives the whole of them.
        return [re.sub("^--[a-z-]+=(?=.)", "", name) if "=" in typed[-1] else name for name in names]

    def test_descriptions(self):
        done = subprocess.run(["fish", "--no-config", "-c",
                               f"source {self.script}; complete -C 'grouplink link --index fl'"],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "flat\tevery pair, exact\n")


ZSH_SETUP = r"""
PROMPT= ; RPROMPT=
unset zle_bracketed_paste
fpath=("$FUNCTIONS" $fpath)
autoload -Uz compinit
compinit -u -d "$FUNCTIONS/.zcompdump"
zstyle ':completion:*' list-rows-first yes
compadd () {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
        builtin compadd "$@"
        return $?
    fi
    local -a __hits
    builtin compadd -A __hits "$@"
    print -r -l -- $__hits >>"$MATCHES"
    builtin compadd "$@"
}
capture () { zle list-choices; print -r -- END >>"$MATCHES"; BUFFER= }
zle -N capture
bindkey '^I' capture
print -r -- READY >>"$MATCHES"
"""


class Zsh(Shell, unittest.TestCase):
    shell = "zsh"
    file = "_grouplink"

    def setUp(self):
        super().setUp()
        self.matches = self.folder / "matches"
        setup = self.folder / "setup.zsh"
        setup.write_text(ZSH_SETUP)
        self.main, side = pty.openpty()
        environment = os.environ | {"TERM": "dumb", "FUNCTIONS": str(self.script.parent), "MATCHES": str(self.matches),
                                    "HOME": str(self.folder)}
        self.run_ = subprocess.Popen(["zsh", "-f", "-i"], cwd=self.folder / "work", stdin=side, stdout=side,
                                     stderr=side, env=environment, start_new_session=True)
        os.close(side)
        os.write(self.main, f"source {setup}\n".encode())
        self.answers("READY")

    def tearDown(self):
        if hasattr(self, "run_"):
            self.run_.kill()
            self.run_.wait()
            os.close(self.main)
        super().tearDown()

    def answers(self, last):
        """Waits for a line `last` in the file, reading what the terminal shows meanwhile."""
        end = time.monotonic() + GIVE_UP
        shown = ""
        while time.monotonic() < end:
            if select.select([self.main], [], [], 0.02)[0]:
                shown += os.read(self.main, 65536).decode("utf-8", "replace")
            lines = self.matches.read_text().split("\n") if self.matches.exists() else []
            if last in lines:
                self.matches.unlink()
                return [line for line in lines if line and line != last]
        raise TimeoutError(shown)

    def complete(self, typed):
        os.write(self.main, (" ".join(["grouplink", *typed]) + "\t").encode())
        names = self.answers("END")
        # A match is what stands behind the last slash; the slash behind a folder is the shell's.
        front = typed[-1].rpartition("/")[0]
        front = f"{front}/" if front else ""
        names = [front + name.replace("\\", "") for name in names]
        return [f"{name}/" if (self.folder / "work" / name).is_dir() and not name.endswith("/") else
                name.rstrip("=") for name in names]

    def test_it_is_a_script_as_well(self):
        done = subprocess.run(["zsh", "-f", "-c", f"autoload -Uz compinit; compinit -D -u; source {self.script}; "
                               "print $_comps[grouplink]"], capture_output=True, text=True, check=True,
                              env=os.environ | {"HOME": str(self.folder)})
        self.assertEqual(done.stdout, "_grouplink\n")
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    COMMAND = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
