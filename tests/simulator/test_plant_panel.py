"""A panel reads what one point after another would give."""

import numpy as np

from simulator.demo_site import demo_site
from simulator.plant import Plant

START = 1_790_000_000.0


def test_a_panel_gives_what_each_point_gives() -> None:
    site = demo_site(8)
    plant = Plant(site, seed=1, start_at=START)
    quantities = ("active_power_w", "energy_imported_wh", "supply_temperature_c", "ph")
    points = [
        (device.id, [(part, name) for part in plant.components(device.id) for name in quantities])
        for device in site.devices
    ]
    panel = plant.panel(points)
    for moment in (START + 1.25, START + 7.5):
        plant.advance(moment)
        asked = [plant.value(device, *point) for device, of_it in points for point in of_it]
        expected = np.array([np.nan if value is None else value for value in asked])
        assert 0 < np.isnan(expected).sum() < expected.size
        np.testing.assert_array_equal(panel.read(), expected)
