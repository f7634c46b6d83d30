"""What the plant knows to be true: exact energies, and the PUE that they make."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Truth:
    """Energies since the plant began, in Wh; the difference of two is a window's.

    `utility_wh` is E_DC. E_IT is by category of ISO/IEC 30134-2: 1 at the UPS output, 2 at the PDU
    output, 3 at the input of the IT equipment; cooling that is fed from there is not IT. Where no
    such point lies before a rack, the next one towards it counts.
    utility = it_3 + cooling + other + transformer_loss + ups_loss + cable_loss.
    """

    utility_wh: float
    it_1_wh: float
    it_2_wh: float
    it_3_wh: float
    chiller_wh: float
    cdu_wh: float
    air_handler_wh: float
    cooling_tower_wh: float
    pump_wh: float
    other_wh: float
    transformer_loss_wh: float
    ups_loss_wh: float
    cable_loss_wh: float
    shelf_loss_wh: float
    """Inside the IT equipment: power shelves and server supplies."""
    gpu_wh: float
    tensor_wh: float
    """GPU energy weighted by the share of time that the tensor pipes were active."""

    @property
    def cooling_wh(self) -> float:
        """All electricity of the cooling plant."""
        return (
            self.chiller_wh
            + self.cdu_wh
            + self.air_handler_wh
            + self.cooling_tower_wh
            + self.pump_wh
        )

    def it_wh(self, category: int) -> float:
        """E_IT of a category, 1 to 3."""
        return {1: self.it_1_wh, 2: self.it_2_wh, 3: self.it_3_wh}[category]

    def pue(self, category: int) -> float | None:
        """E_DC over E_IT; None where no IT energy flowed."""
        it_wh = self.it_wh(category)
        return self.utility_wh / it_wh if it_wh > 0 else None

    @property
    def tensor_share(self) -> float | None:
        """GPU energy spent while the tensor pipes were active; None where no GPU took any."""
        return self.tensor_wh / self.gpu_wh if self.gpu_wh > 0 else None

    def __sub__(self, earlier: Self) -> Truth:
        return Truth(
            *(getattr(self, field.name) - getattr(earlier, field.name) for field in fields(self))
        )
