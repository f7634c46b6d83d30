"""The loads that stages share, made at their first use and kept until what makes them changes."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.harness import Figure, Scale
from bench.load import COLLECTORS, SITE, Load, open_load, write_load
from bench.points import COUNTS

SOURCES = (SITE, COUNTS, *(Path(__file__).with_name(name) for name in ("load.py", "points.py")))


def figures(scale: Scale) -> Iterator[Figure]:
    """Make them all before anything is measured; there is nothing to show."""
    for make in (few_collectors, whole_site, long_series):
        make(scale)
    yield from ()


def few_collectors(scale: Scale) -> Load:
    """Three collectors' four seconds."""
    return _load(scale, collectors=3, seconds=4)


def whole_site(scale: Scale) -> Load:
    """All collectors' three seconds; for a quick look, five collectors'."""
    return _load(scale, collectors=scale.pick(COLLECTORS, 5), seconds=3)


def long_series(scale: Scale) -> Load:
    """One collector's minutes."""
    return _load(scale, collectors=1, seconds=scale.pick(300, 60))


def _load(scale: Scale, *, collectors: int, seconds: int) -> Load:
    made_by = hashlib.blake2b(digest_size=8)
    for source in SOURCES:
        made_by.update(source.read_bytes())
    directory = scale.loads / f"{made_by.hexdigest()}-{collectors}x{seconds}"
    if directory.is_dir():
        return open_load(directory)
    for outdated in scale.loads.glob(f"*-{collectors}x{seconds}*"):
        shutil.rmtree(outdated)
    partial = directory.with_suffix(".part")
    write_load(partial, collectors=collectors, seconds=seconds)
    partial.rename(directory)
    return open_load(directory)
