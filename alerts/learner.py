"""What is watched, and how it grows as devices show their parts: table rows, modules, GPUs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from alerts.board import Board
from alerts.watch import SeriesKey, WatchTable
from facility.alert import Transition
from facility.power_path import Step

SETTLE_S = 2.0
"""From the first new point until the table is made anew: others mostly come with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What an engine watches."""

    site: str
    feeds: tuple[Step, ...]
    resolve: Callable[[Collection[SeriesKey]], WatchTable]
    """The watches there are when devices are known to have these points."""
    points: frozenset[SeriesKey] = frozenset()
    """Those they are known to have."""
    quantities: frozenset[str] = frozenset()
    """What rules are about: only of these are new points of interest."""
    keep_points: Callable[[Collection[SeriesKey]], None] = lambda _: None
    """Keeps them for the next start."""
    may_return: Callable[[Transition], bool] = lambda _: False
    """Whether an alert that nobody watches may be of a part that has not shown itself yet."""


class Learner:
    """Makes boards: the first at once, wider ones beside the engine's thread."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._points = watched.points
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="alert-learner")
        self._making: Future[Board] | None = None
        self._since: float | None = None

    def board(self) -> Board:
        """Make the board of the points that are known."""
        return self._board(self._points)

    def turn(self, new_points: Collection[SeriesKey]) -> Board | None:
        """Note new points; give the board that has them when it is made."""
        if self._making is not None:
            if not self._making.done():
                return None
            board, self._making = self._making.result(), None
            return board
        if new_points and self._since is None:
            self._since = time.monotonic()
        if self._since is not None and time.monotonic() - self._since >= SETTLE_S:
            self._since = None
            self._points = self._points | frozenset(new_points)
            self._making = self._thread.submit(self._widened, self._points)
        return None

    def close(self) -> None:
        """Wait for what is being made."""
        self._thread.shutdown(cancel_futures=True)

    def _widened(self, points: frozenset[SeriesKey]) -> Board:
        board = self._board(points)
        self._watched.keep_points(points)
        return board

    def _board(self, points: frozenset[SeriesKey]) -> Board:
        return Board(
            self._watched.resolve(points),
            self._watched.feeds,
            points=points,
            quantities=self._watched.quantities,
        )
