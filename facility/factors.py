"""The `factors:` section: what KPIs need and no meter gives. Every factor is declared here, once.

A factor is a number or word of the whole site, or one for each of its subjects (a fuel, a hall, a
device). Weights and conversions have no defaults: those of a standard's tables are the site's to
look up and to answer for.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facility.model import Model
from facility.site import DeviceId

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

GpuModel = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
GpuPeak = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+/[a-z0-9]+$")]
AirClass = Literal["A1", "A2", "A3", "A4"]
WaterKind = Literal["potable", "reclaimed", "ground", "surface", "rain", "sea"]
HeatUse = Literal["plant", "reuse", "district_cooling"]
EuField = Literal[
    "pd_it_kw",
    "s_dc_m2",
    "s_cr_m2",
    "grid_functions",
    "c_btg_kw",
    "refrigerants",
    "cdd_degree_days",
    "c_serv",
    "c_stor_pb",
    "b_in_gbps",
    "b_out_gbps",
    "t_in_eb",
    "t_out_eb",
]
"""Fields of Delegated Regulation (EU) 2024/1364 that no telemetry gives."""


class Factors(Model):
    """Factors that hold until the file is changed; those with dates stand in `tables`."""

    tables: tuple[str, ...] = ()
    """CSV files of factors by time, relative to this file."""
    carbon_kg_per_kwh: dict[Name, NotNegative] = Field(default={})
    """kgCO2e per kWh: `grid_location`, `grid_market`, `generator`, `on_site_generation` (per kWh
    delivered), `district_cooling` (per kWh of heat taken up) and each fuel."""
    grid_water_l_per_kwh: NotNegative | None = None
    """Water used where the grid's electricity is made."""
    fuel_kwh_per_unit: dict[Name, Positive] = Field(default={})
    """Energy in a unit of each fuel, as it is bought: L, m3 or kg."""
    fuel_used: dict[Name, NotNegative] = Field(default={})
    """Units of each fuel that were used; in tables only."""
    source_energy_ratio: dict[Name, NotNegative] = Field(default={})
    """What a kWh of each fuel, and of heat taken up by `district_cooling`, counts for in E_DC,
    where a kWh of electricity counts for 1."""
    renewable_ratio: dict[Literal["goo", "ppa", "on_site"], Ratio] = Field(default={})
    """Renewable share: of the grid's energy by guarantees of origin (`goo`) and by power purchase
    agreements (`ppa`), retired; of the generation metered on the site (`on_site`)."""
    demand_limit_kw: Positive | None = None
    """What the contract allows as the mean of a tariff period."""
    demand_period_minutes: Literal[5, 10, 15, 30, 60] | None = None
    """Length of a tariff period; 15 unless given."""
    air_class: dict[str, AirClass] = Field(default={})
    """ASHRAE class of each hall's equipment."""
    water_intake: dict[DeviceId, WaterKind] = Field(default={})
    """Water meters that together measure all water taken in, and its kind."""
    heat_use: dict[DeviceId, HeatUse] = Field(default={})
    """What a heat meter measures: heat the cooling plant removes (`plant`), heat given to others
    (`reuse`), heat a district cooling network takes up (`district_cooling`)."""
    fluid_w_per_lpm_k: dict[str, Positive] = Field(default={})
    """Heat carried by 1 L/min of a fluid per kelvin, by device or role of device."""
    intake_sensor: dict[str, str] = Field(default={})
    """Component whose `temperature_c` is that of intake air, by device or profile."""
    gpu_model: dict[str, GpuModel] = Field(default={})
    """What the GPUs of a node are, by device, or of all nodes as `gpu_node`."""
    gpu_peak_pflops: dict[GpuPeak, Positive] = Field(default={})
    """The most one GPU can do without sparsity, by `MODEL/arithmetic`; over and beside those of
    the lake's `gpu_peaks`."""
    eu_2024_1364: dict[EuField, float | str] = Field(default={})
    """What the EU's reporting asks for and no telemetry gives."""

    @model_validator(mode="after")
    def _shares_of_one_energy(self) -> Self:
        shares = self.renewable_ratio.get("goo", 0) + self.renewable_ratio.get("ppa", 0)
        if shares > 1:
            raise ValueError(
                f"renewable_ratio: goo and ppa are shares of the grid's energy and make {shares:g} "
                "together; no more than 1 can be renewable"
            )
        return self


FACTORS = tuple(name for name in Factors.model_fields if name != "tables")
BY_SUBJECT = frozenset(name for name, field in Factors.model_fields.items() if field.default == {})
CARBON_SOURCES = (
    "grid_location",
    "grid_market",
    "generator",
    "on_site_generation",
    "district_cooling",
)
"""Subjects of `carbon_kg_per_kwh` beside the fuels."""
