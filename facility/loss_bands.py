"""What the parts of a power path lose, unless the site states otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from facility.site import LossBand, LossyPart, Site


@cache
def default_loss_bands() -> Mapping[LossyPart, LossBand]:
    """Read `loss_bands.yaml`."""
    rows = yaml.safe_load(Path(__file__).with_name("loss_bands.yaml").read_text("utf-8"))
    return MappingProxyType({part: LossBand.model_validate(row) for part, row in rows.items()})


def loss_bands(site: Site) -> dict[LossyPart, LossBand]:
    """Give each part's band: the site's own, else the default."""
    return {**default_loss_bands(), **site.loss_bands}
