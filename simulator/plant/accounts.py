"""Where the power goes: the plant's true accounts, from flows that no meter has to show."""

from __future__ import annotations

import numpy as np

from facility.roles import DeviceRole
from simulator.plant.arrays import Floats
from simulator.plant.network import PowerNetwork
from simulator.plant.rack_listing import Rack
from simulator.plant.racks import Racks
from simulator.plant.topology import COMPLETED_ROLES

IT_POINTS = (
    (DeviceRole.UPS, DeviceRole.UPS_OUTPUT_METER, DeviceRole.PDU_OUTPUT_METER),
    (DeviceRole.PDU_OUTPUT_METER,),
    (),
)
"""Where IT energy counts, by category 1, 2, 3: the uppermost of these, else the rack's input."""


class Accounts:
    """Powers of `Truth`'s fields, in their order."""

    def __init__(self, network: PowerNetwork, racks: tuple[Rack, ...]) -> None:
        self._network = network
        self._racks = np.array([network.index[rack.part] for rack in racks], np.intp)
        self._it = np.array([self._weights(roles) for roles in IT_POINTS])
        self._ups = network.of_role(DeviceRole.UPS)
        self._transformers = network.of_role(DeviceRole.TRANSFORMER)
        self._own = [
            network.of_role(role)
            for role in (
                DeviceRole.CHILLER,
                DeviceRole.CDU,
                DeviceRole.AIR_HANDLER,
                DeviceRole.COOLING_TOWER,
                DeviceRole.PUMP,
                DeviceRole.OTHER_LOAD_METER,
            )
        ]

    # BLAS (`@`) is kept out: its threads spin for longer than these sums take.
    def power_w(self, own: Floats, racks: Racks, tensor: Floats) -> Floats:
        """Powers now (W), by Truth's fields; `tensor` is the accelerated racks' tensor share."""
        network = self._network
        inside = network.input - network.load
        gpu_w = racks.gpus.power_w
        return np.array(
            [
                network.drawn[network.roots].sum(),
                *(self._it * network.load).sum(axis=1),
                *(own[rows].sum() for rows in self._own),
                inside[self._transformers].sum(),
                inside[self._ups].sum(),
                (network.drawn - network.input).sum(),
                (racks.ac_w - racks.dc_w).sum(),
                gpu_w.sum(),
                (gpu_w * racks.gpus.share(tensor)).sum(),
            ]
        )

    def _weights(self, roles: tuple[DeviceRole, ...]) -> Floats:
        """Weight of each part's load in a category's E_IT.

        A counting point below another counts only for what does not come through the upper one;
        cooling and lighting that draw through a counting point are taken out.
        """
        network = self._network
        points = np.zeros(len(network.parts), bool)
        points[network.of_role(*roles)] = True
        points &= self._feeds_it()
        points[self._racks] = True
        above = network.fed_through(points)
        weights = np.where(points, 1.0 - network.upstream(above), 0.0)
        others = network.of_role(*COMPLETED_ROLES)
        weights[others] = -above[others]
        return weights

    def _feeds_it(self) -> np.ndarray:
        feeds = np.zeros(len(self._network.parts), bool)
        feeds[self._racks] = True
        for child, parent in zip(self._network.child, self._network.parent, strict=True):
            feeds[parent] |= feeds[child]
        return feeds
