"""What comes out of a job."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from grouplink import _core

if TYPE_CHECKING:
    import pandas
    import pyarrow
    import scipy.sparse


class Links:
    """Links of rows to their most similar rows of the same group, as a sparse matrix in CSR form.

    Row i links to ``targets[offsets[i]:offsets[i + 1]]`` with the weights at the same places, nearest first:
    weights never increase along a row, and equally near rows stand by number, ascending. The arrays are those
    of the engine, without a copy.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n_rows + 1,)
    targets : ndarray of int64, shape (n_links,)
    weights : ndarray of float32, shape (n_links,)
    row_status : ndarray of uint8, shape (n_rows,)
        A place in `grouplink.ROW_STATUSES`; 0 is "ok".
    ids : ndarray of int64 or object, shape (n_rows,), or None
        Names of the rows.
    """

    def __init__(self, result: _core.LinkResult, groups: _core.Groups, ids: npt.NDArray[Any] | None) -> None:
        self._result = result
        self._groups = groups
        self.ids = ids
        self.offsets = result.offsets
        self.targets = result.targets
        self.weights = result.weights
        self.row_status = result.row_status

    @property
    def n_rows(self) -> int:
        """Rows of the input, whether they have links or not."""
        return len(self.offsets) - 1

    @property
    def sources(self) -> npt.NDArray[np.int64]:
        """The row that each link is of, as `targets` has the row it goes to; made anew at each call."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.offsets))

    def __len__(self) -> int:
        """The number of links."""
        return len(self.targets)

    def __repr__(self) -> str:
        keys = self._groups.keys
        groups = "" if keys == [""] else f" in {len(keys):,} group{'s' * (len(keys) != 1)}"
        return f"<grouplink.Links: {len(self):,} links of {self.n_rows:,} rows{groups}>"

    def _repr_html_(self) -> str:
        """The report as a page, in a frame of its own: for notebooks."""
        page = self.to_html().replace("&", "&amp;").replace('"', "&quot;")
        return f'<iframe srcdoc="{page}" sandbox style="width: 100%; height: 40em; border: 0"></iframe>'

    @cached_property
    def report(self) -> dict[str, Any]:
        """What ran, how, and what came out: what the command writes for ``--report FILE.json``."""
        report: dict[str, Any] = json.loads(self._result.report_json)
        return report

    def to_html(self) -> str:
        """The report as one page: what the command writes for ``--report FILE.html``."""
        return self._result.page(self._groups)

    def neighbors(self, row: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Targets and weights of the links of one row, nearest first."""
        if not 0 <= row < self.n_rows:
            raise IndexError(f"row: got {row}, must be from 0 to {self.n_rows - 1}")
        place = slice(self.offsets[row], self.offsets[row + 1])
        return self.targets[place], self.weights[place]

    def to_scipy(self) -> scipy.sparse.csr_array:
        """A matrix of weights, n_rows x n_rows, a row's links in the order of `Links`.

        The weights are shared with it, offsets and targets where SciPy keeps 64 bits of them.
        """
        import scipy.sparse

        shape = (self.n_rows, self.n_rows)
        return scipy.sparse.csr_array((self.weights, self.targets, self.offsets), shape=shape)

    def to_arrow(self, layout: Literal["edges", "lists"] = "edges") -> pyarrow.Table:
        """A table of pyarrow as the command writes it; how the links were made is in its metadata.

        Parameters
        ----------
        layout : {"edges", "lists"}
            A row a link, with source, target and weight; or a row for each row of the input, with row, id
            (where there are ids), group (where there are groups), targets and weights. Sources and targets
            are ids where there are any, else row numbers.
        """
        import pyarrow

        targets = pyarrow.array(self._named(self.targets))
        weights = pyarrow.array(self.weights)
        if layout == "edges":
            columns = {
                "source": pyarrow.array(self._named(self.sources)),
                "target": targets,
                "weight": weights,
            }
        elif layout == "lists":
            columns = {"row": pyarrow.array(np.arange(self.n_rows))}
            if self.ids is not None:
                columns["id"] = pyarrow.array(self.ids)
            if self._groups.keys != [""]:
                codes = self._groups.codes
                keys = pyarrow.array(self._groups.keys, pyarrow.string())
                columns["group"] = keys.take(pyarrow.array(codes, mask=codes < 0))
            columns["targets"] = pyarrow.LargeListArray.from_arrays(self.offsets, targets)
            columns["weights"] = pyarrow.LargeListArray.from_arrays(self.offsets, weights)
        else:
            raise ValueError(f'layout: got "{layout}", wants edges or lists')
        return pyarrow.table(columns).replace_schema_metadata({"grouplink": self._record()})

    def to_pandas(self) -> pandas.DataFrame:
        """A row a link, with source, target and weight: ids where there are any, else row numbers."""
        import pandas

        source, target = self._named(self.sources), self._named(self.targets)
        return pandas.DataFrame({"source": source, "target": target, "weight": self.weights})

    def _named(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        return rows if self.ids is None else self.ids[rows]

    def _record(self) -> str:
        """How the links were made, as all outputs of the command say it."""
        report = self.report
        options = {name: value for name, value in report["options"].items() if name != "threads"}
        record = {
            "version": report["version"],
            "metric": options["metric"],
            "mapping": report["mapping"],
            "options": options,
            "rows": report["rows"],
            "links": report["links"],
            "cut": report["cut"],
        }
        return json.dumps(record, separators=(",", ":"))
