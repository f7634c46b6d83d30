"""Loss bands: defaults that the site overrides part by part."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from facility.loss_bands import default_loss_bands, loss_bands
from facility.roles import DeviceRole
from facility.site import LossBand
from simulator.demo_site import demo_site


def test_every_default_says_where_it_comes_from_and_is_a_band() -> None:
    bands = default_loss_bands()
    assert set(bands) >= {"distribution", DeviceRole.UPS, DeviceRole.TRANSFORMER}
    for band in bands.values():
        assert band.source
        assert band.low_ratio <= band.typical_ratio < band.high_ratio


def test_a_site_states_its_own_and_keeps_the_other_defaults() -> None:
    own = LossBand(low_ratio=0.02, typical_ratio=0.026, high_ratio=0.04)
    site = demo_site(1).model_copy(update={"loss_bands": {DeviceRole.UPS: own}})
    assert loss_bands(site) == {**default_loss_bands(), DeviceRole.UPS: own}


def test_a_band_that_falls_is_refused() -> None:
    with pytest.raises(ValidationError, match="must not fall"):
        LossBand(low_ratio=0.02, typical_ratio=0.01, high_ratio=0.04)
