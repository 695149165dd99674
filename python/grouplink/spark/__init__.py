"""Links of the rows of a Spark DataFrame, where the data lives. It needs PySpark 4 and pyarrow."""

from grouplink.spark._link import link_dataframe
from grouplink.spark._links import SparkLinks
from grouplink.spark._options import Limits
from grouplink.spark._plan import Path, Plan
from grouplink.spark._sizing import Cluster, Size, size_of_job

__all__ = ["Cluster", "Limits", "Path", "Plan", "Size", "SparkLinks", "link_dataframe", "size_of_job"]
