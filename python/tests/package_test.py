"""What is packed: the sdist has all that the wheel is built of."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tarfile

import pytest
from conftest import ROOT

import grouplink
from grouplink import _core


def test_sdist(tmp_path):
    pytest.importorskip("scikit_build_core")
    code = f"import build_backend; print(build_backend.build_sdist({str(tmp_path)!r}))"
    python = ROOT / "python"
    environment = {**os.environ, "PYTHONPATH": str(python)}
    subprocess.run([sys.executable, "-c", code], cwd=python, env=environment, check=True)
    (path,) = tmp_path.glob("grouplink-*.tar.gz")
    with tarfile.open(path) as sdist:
        members = {member.name.partition("/")[2]: member for member in sdist}
        assert all(member.isfile() for member in members.values())
        for file in ("CMakeLists.txt", "LICENSE"):
            packed = sdist.extractfile(members[f"source/{file}"])
            assert packed is not None and packed.read() == (ROOT / file).read_bytes()
    for folder in ("engine", "include", "cmake"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"source/{path.relative_to(ROOT)}" in members
    assert {"CMakeLists.txt", "pyproject.toml", "src/module.cpp", "grouplink/py.typed"} <= members.keys()


def test_version_is_the_engines():
    header = (ROOT / "include" / "grouplink" / "version.hpp").read_text()
    assert f'"{grouplink.__version__}"' in header


def test_scikit_learn_is_not_needed():
    code = """
import sys
sys.modules["sklearn"] = sys.modules["scipy"] = sys.modules["pyarrow"] = sys.modules["pandas"] = None
import numpy, grouplink
print(len(grouplink.link(numpy.eye(3), n_nearest=1)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"


def test_unknown_names():
    with pytest.raises(AttributeError, match="has no attribute 'linc'"):
        _ = grouplink.linc


def test_the_stub_has_what_the_module_has():
    stub = ast.parse((ROOT / "python" / "grouplink" / "_core.pyi").read_text())
    stubbed = {}
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            stubbed[node.name] = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            stubbed[node.name] = {argument.arg for argument in node.args.args}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            stubbed[node.target.id] = set()
    public = {name: value for name, value in vars(_core).items() if not name.startswith("_")}
    assert stubbed.keys() == public.keys()
    for name, value in public.items():
        if isinstance(value, type):
            assert stubbed[name] - {"__len__"} == {name for name in vars(value) if not name.startswith("_")}
        elif callable(value):
            signature = value.__doc__.splitlines()[0]
            arguments = set(re.findall(r"(\w+): ", signature))
            assert stubbed[name] == arguments, signature
