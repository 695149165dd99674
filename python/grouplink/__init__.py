"""For each row of a table with embeddings, its most similar rows within the same group."""

from grouplink._core import row_statuses as ROW_STATUSES
from grouplink._core import version as __version__
from grouplink._link import link
from grouplink._links import Links

__all__ = ["ROW_STATUSES", "Links", "__version__", "link"]
