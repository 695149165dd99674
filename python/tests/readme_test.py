"""The code of the README's section on Python runs, and its types hold."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest
from conftest import ROOT


def code_of(section: str) -> str:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = re.search(rf"^## {section}\n(.*?)^## ", readme, re.DOTALL | re.MULTILINE).group(1)
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


def test_code_runs():
    script = "import os\n" + f"os.chdir({str(ROOT)!r})\n" + code_of("Python")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<grouplink.Links: 10,000 links of 1,000 rows in 2 groups>\nnews ")


def test_types_hold(tmp_path: pathlib.Path):
    pytest.importorskip("mypy")
    script = tmp_path / "readme.py"
    script.write_text(code_of("Python"))
    config = ROOT / "python" / "pyproject.toml"
    line = [sys.executable, "-m", "mypy", "--strict", "--config-file", config, script]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
