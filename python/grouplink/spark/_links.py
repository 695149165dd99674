"""What comes out of a job on Spark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from grouplink import __version__
from grouplink.spark._columns import Rows
from grouplink.spark._options import Options
from grouplink.spark._plan import Plan
from grouplink.spark._survey import Survey

_INFINITE = float("inf")


class SparkLinks:
    """Links of the rows of a DataFrame to their most similar rows of the same group.

    Each of the DataFrames searches when it is used; `persist` keeps the links where they are used more than
    once.

    Attributes
    ----------
    plan : Plan
        Groups, tasks and estimated bytes of each path.
    """

    def __init__(
        self,
        lists: DataFrame,
        rows: Rows,
        plan: Plan,
        survey: Survey,
        options: Options,
        cut: float | None,
        kept: Sequence[DataFrame],
    ) -> None:
        self.plan = plan
        self._lists = lists
        self._rows = rows
        self._survey = survey
        self._options = options
        self._cut = cut
        self._kept = list(kept)

    def lists(self) -> DataFrame:
        """A row for each row of the input, those without links among them.

        Returns
        -------
        DataFrame
            The id and group columns, `targets` (array of ids) and `weights` (array of float), nearest first:
            weights never increase along a row, and equally near rows stand by id, ascending.
        """
        names = [F.col("key").alias(self._rows.id)]
        if self._rows.group is not None and self._rows.group != self._rows.id:
            names.append(F.col("grp").alias(self._rows.group))
        return self._lists.select(*names, "targets", "weights")

    def edges(self) -> DataFrame:
        """A row for each link.

        Returns
        -------
        DataFrame
            `source` and `target` (ids) and `weight` (float).
        """
        link = F.explode(F.arrays_zip("targets", "weights")).alias("link")
        return self._lists.select(F.col("key").alias("source"), link).select(
            "source", F.col("link.targets").alias("target"), F.col("link.weights").alias("weight")
        )

    def report(self) -> dict[str, Any]:
        """What ran and what came out, by the names of the command's report.

        It counts links: a job, which searches unless links are persisted.

        Returns
        -------
        dict
            `rows`, `row_status`, `links_found`, `links`, `cut` and `options`; `paths`, with groups, rows,
            tasks and bytes of each.
        """
        counts = self._lists.agg(
            F.sum(F.size("targets")).alias("links"), F.min("cut").alias("cut")
        ).collect()[0]
        cut = self._cut
        if cut is None:
            own = counts["cut"]
            cut = float(self._options["similarity_min"]) if own is None or own == _INFINITE else own
        return {
            "version": __version__,
            "options": {name: value for name, value in self._options.given.items() if value is not None},
            "rows": self._survey.rows,
            "groups": self._survey.groups,
            "row_status": self._survey.row_status,
            "links_found": self._survey.links_found,
            "links": counts["links"] or 0,
            "cut": cut,
            "paths": {name: asdict(getattr(self.plan, name)) for name in ("small", "ordinary", "giant")},
        }

    def persist(self) -> SparkLinks:
        """Keep the links on the executors once they are found."""
        self._kept.append(self._lists.persist())
        return self

    def unpersist(self) -> None:
        """Let go of links that were kept, to find a quantile among them. DataFrames of them search again."""
        for frame in self._kept:
            frame.unpersist()

    def __enter__(self) -> SparkLinks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unpersist()
