"""The example on communities runs, prints what its README shows, and draws its picture."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import ROOT


def test_communities(tmp_path: pathlib.Path):
    for package in ("igraph", "matplotlib", "sklearn"):
        pytest.importorskip(package)
    script = ROOT / "examples" / "communities.py"
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path)}
    line = [sys.executable, script]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"`communities.py` prints:\n\n```\n(.*?)```", readme, re.DOTALL).group(1)
    # Another igraph may end at other communities, of about the same number.
    assert re.sub(r"\b\d\d( communities|%)", r"N\1", done.stdout) == re.sub(
        r"\b\d\d( communities|%)", r"N\1", shown
    )
    picture = (tmp_path / "communities.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 50_000
