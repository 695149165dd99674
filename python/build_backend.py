"""scikit-build-core, whose sdist is to hold the files that links lead to, not the links."""

from __future__ import annotations

import pathlib
import tarfile

from scikit_build_core import build as _scikit
from scikit_build_core.build import *  # noqa: F403


def build_sdist(sdist_directory: str, config_settings: dict[str, list[str] | str] | None = None) -> str:
    name = _scikit.build_sdist(sdist_directory, config_settings)
    whole = pathlib.Path(sdist_directory) / name
    linked = whole.with_suffix(".linked")
    whole.rename(linked)
    with tarfile.open(linked) as given, tarfile.open(whole, "w:gz") as taken:
        for member in given:
            if member.issym():
                path = pathlib.Path(*pathlib.PurePath(member.name).parts[1:])
                member.type, member.size = tarfile.REGTYPE, path.stat().st_size
                with path.open("rb") as content:
                    taken.addfile(member, content)
            else:
                taken.addfile(member, given.extractfile(member))
    linked.unlink()
    return name
