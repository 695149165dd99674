"""How a caller follows a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Union

Callback = Callable[[str, int, int], object]
Progress = Union[None, bool, Callback]


@contextmanager
def callback_of(progress: Progress) -> Iterator[Callback | None]:
    """The function that the engine is to call, which True makes a bar of tqdm."""
    if progress is None or progress is False:
        yield None
    elif progress is True:
        bars = _Bars()
        try:
            yield bars
        finally:
            bars.close()
    elif callable(progress):
        yield progress
    else:
        raise TypeError(f"progress: got {progress!r}, wants a callable, True or None")


class _Bars:
    """A bar for each stage in turn."""

    def __init__(self) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            raise ImportError(
                "progress=True shows a bar of tqdm: pip install tqdm, or pass a callable"
            ) from None
        self._tqdm: Any = tqdm
        self._bar: Any = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self.close()
            self._stage = stage
            self._bar = self._tqdm(desc=stage, total=total, unit="row", unit_scale=True, leave=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
