"""What comes out of a job."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional

import numpy as np
import numpy.typing as npt

from grouplink import _core

if TYPE_CHECKING:
    import scipy.sparse


class Links:
    """Links of rows to their most similar rows of the same group, as a sparse matrix in CSR form.

    Row i links to ``targets[offsets[i]:offsets[i + 1]]`` with the weights at the same places, nearest first:
    weights never increase along a row, and equal ones stand by target, ascending.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n_rows + 1,)
    targets : ndarray of int64, shape (n_links,)
    weights : ndarray of float32, shape (n_links,)
    row_status : ndarray of uint8, shape (n_rows,)
        A place in `grouplink.ROW_STATUSES`; 0 is "ok".
    report : dict
        What ran, how, and what came out: what the command writes for ``--report FILE.json``.

    The arrays are those of the engine, without a copy.
    """

    def __init__(self, result: _core.LinkResult, groups: _core.Groups, ids: Any = None) -> None:
        self._result = result
        self._groups = groups
        self.ids = ids
        self.offsets: npt.NDArray[np.int64] = result.offsets
        self.targets: npt.NDArray[np.int64] = result.targets
        self.weights: npt.NDArray[np.float32] = result.weights
        self.row_status: npt.NDArray[np.uint8] = result.row_status

    @property
    def n_rows(self) -> int:
        """Rows of the input, whether they have links or not."""
        return len(self.offsets) - 1

    def __len__(self) -> int:
        """The number of links."""
        return len(self.targets)

    def __repr__(self) -> str:
        return f"<grouplink.Links: {len(self):,} links of {self.n_rows:,} rows>"

    @cached_property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self._result.report_json)
        return report

    def to_scipy(self) -> scipy.sparse.csr_array:
        """The links as a matrix of weights, n_rows x n_rows, a row's links in the order of `Links`."""
        import scipy.sparse

        shape = (self.n_rows, self.n_rows)
        return scipy.sparse.csr_array((self.weights, self.targets, self.offsets), shape=shape)
