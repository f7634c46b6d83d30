"""The arrays that the plant is made of, and the few things done to them everywhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def total_by(group: Indices, of_members: Floats, groups: int) -> Floats:
    """Sum of the members of each group; `group` names each member's."""
    total: Floats = np.bincount(group, weights=of_members, minlength=groups).astype(np.float64)
    return total


def shares(weights: Floats) -> Floats:
    """Each weight over the sum of its row."""
    normal: Floats = weights / weights.sum(axis=1, keepdims=True)
    return normal


def shared_out(share: Floats, whole: Floats) -> Floats:
    """Share out each row's whole; flat, row after row."""
    parts: Floats = (share * whole[:, None]).ravel()
    return parts
