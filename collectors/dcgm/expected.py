"""The GPUs that the site file says a node has, and those of them that are not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from collectors.exporter.series import Key, fill
from collectors.profile import DcgmPoint
from facility.site import ExpectedGpus

UUID_LABEL = "UUID"
_OF_A_GPU = f"{{{UUID_LABEL}}}"


class Expected:
    """What a node must have, as `collectors.exporter.inventory.Expected` asks.

    Args:
        gpus: how many, or which by UUID; None: whatever comes.
        points: the profile's.
    """

    def __init__(self, gpus: ExpectedGpus | None, points: Sequence[DcgmPoint]) -> None:
        self._points = points
        self._of_gpu = [n for n, point in enumerate(points) if _OF_A_GPU in point.component]
        self.count = gpus if isinstance(gpus, int) else len(gpus or ())
        self._uuids = () if gpus is None or isinstance(gpus, int) else gpus
        self._named = frozenset(map(self._component, self._uuids))

    @property
    def rows(self) -> int:
        """How many rows a node has that was never seen: each of its points at least once."""
        others = len(self._points) - len(self._of_gpu)
        return others + len(self._of_gpu) * max(1, self.count)

    def part_of(self, key: Key) -> str:
        """The component of the GPU that a row is of, or is a part of; empty for another's row."""
        of_gpu = _OF_A_GPU in self._points[key.point].component
        return key.component.partition("/")[0] if of_gpu else ""

    def owed(self, came: Mapping[Key, str]) -> dict[Key, str]:
        """The rows of GPUs that never came: those that the node's others give, or the profile has.

        Args:
            came: rows that came, and the names they were printed under.

        Returns:
            Rows, and the names they would be printed under.
        """
        here = {self.part_of(key) for key in came} - {""}
        fields = {key.point: name for key, name in came.items() if key.component in here}
        fields = fields or {n: self._points[n].names[0] for n in self._of_gpu}
        return {
            Key(gpu, point): name for gpu in self._unseen(here) for point, name in fields.items()
        }

    def keeps(self, part: str, here: Collection[str]) -> bool:
        """Whether a GPU that is not `here` is waited for, however long."""
        if self._uuids:
            return part in self._named
        return bool(part) and len(here) < self.count

    def absent(self, keys: Iterable[Key], here: Collection[str]) -> set[str]:
        """The expected GPUs among the rows that are not `here`."""
        return {gpu for gpu in map(self.part_of, keys) if gpu not in here and self.keeps(gpu, here)}

    def _unseen(self, here: Collection[str]) -> Iterable[str]:
        if self._uuids:
            return self._named.difference(here)
        return [self._component(f"missing-{n}") for n in range(1, self.count - len(here) + 1)]

    def _component(self, uuid: str) -> str:
        component = fill(self._points[self._of_gpu[0]].component, {UUID_LABEL: uuid})
        assert component is not None
        return component
