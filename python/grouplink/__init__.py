"""For each row of a table with embeddings, its most similar rows within the same group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grouplink._core import row_statuses as ROW_STATUSES
from grouplink._core import version as __version__
from grouplink._link import explain, link, link_table, verify
from grouplink._links import Links
from grouplink._options import LinkOptions

if TYPE_CHECKING:
    from grouplink.sklearn import KNeighborsGraph

__all__ = [
    "ROW_STATUSES",
    "KNeighborsGraph",
    "LinkOptions",
    "Links",
    "__version__",
    "explain",
    "link",
    "link_table",
    "verify",
]


def __getattr__(name: str) -> object:
    # scikit-learn is needed for no more than this.
    if name == "KNeighborsGraph":
        from grouplink.sklearn import KNeighborsGraph

        return KNeighborsGraph
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
