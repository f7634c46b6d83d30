"""The site of `busway demo`: some racks, and the power path and cooling plant of their size."""

from __future__ import annotations

import math
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from facility.site import Site
from facility.site_file import load_site

LARGEST = 200
"""Racks with GPUs; each device has an address of its own, and a rack is one byte of it."""

RACK_KW, ORDINARY_RACK_KW = 140.0, 25.0
POWER_RATIO = 1.3
"""Provisioned power over that of the racks."""
NOMINAL_VOLTAGE_V = 240.0
RAMP_RATIO = 0.5
"""Of the provisioned power, within a minute: what training jobs do is less."""
RACK_FLOW_LPM = 85.0
"""What a rack's CDUs move at its least load."""
RACKS_OF_A_CDU, RACKS_OF_A_CHILLER, RACKS_OF_AN_ORDINARY = 4, 8, 4


def demo_site_text(
    racks: int = 8, *, modbus_port: int = 15_020, snmp_port: int = 11_610, http_port: int = 19_400
) -> str:
    """Text of the demo's `site.yaml`: racks of 72 GPUs, a quarter as many ordinary ones.

    Every device has its own loopback address; the ports need no privilege.

    Raises:
        ValueError: fewer racks than 1, or more than the addresses reach.
    """
    if not 1 <= racks <= LARGEST:
        raise ValueError(f"a demo has 1 to {LARGEST} racks, found {racks}")
    ordinary = math.ceil(racks / RACKS_OF_AN_ORDINARY)
    cdus = max(2, math.ceil(racks / RACKS_OF_A_CDU))
    site_kw = POWER_RATIO * (racks * RACK_KW + ordinary * ORDINARY_RACK_KW)
    text = Path(__file__).with_name("demo_site.yaml").read_text("utf-8")
    return Template(text).substitute(
        racks=racks,
        ordinary=ordinary,
        first_ordinary=racks + 1,
        all_racks=racks + ordinary,
        cdus=cdus,
        cdu_flow_lpm=f"{RACK_FLOW_LPM * racks / cdus:.1f}",
        ramp_w=f"{RAMP_RATIO * site_kw * 1000:.0f}",
        site_a=f"{site_kw * 1000 / 3 / NOMINAL_VOLTAGE_V:.0f}",
        chillers=1 + math.ceil(racks / RACKS_OF_A_CHILLER),
        site_kw=f"{site_kw:.1f}",
        provisioned_mw=f"{site_kw / 1000:.3f}",
        modbus_port=modbus_port,
        snmp_port=snmp_port,
        http_port=http_port,
    )


def demo_site(
    racks: int = 8, *, modbus_port: int = 15_020, snmp_port: int = 11_610, http_port: int = 19_400
) -> Site:
    """Return the demo's site, as loading its text gives it.

    The site's paths (outbox, lake) lead nowhere: to run it, write the text to a file and load that.

    Raises:
        ValueError: fewer racks than 1, or more than the addresses reach.
    """
    text = demo_site_text(racks, modbus_port=modbus_port, snmp_port=snmp_port, http_port=http_port)
    with TemporaryDirectory() as directory:
        path = Path(directory, "site.yaml")
        path.write_text(text, "utf-8")
        return load_site(path)
