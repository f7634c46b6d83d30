"""What a device is for, and what a meter counts."""

from __future__ import annotations

from enum import StrEnum


class DeviceRole(StrEnum):
    """What a device is in the plant; rules, views and the simulator go by it."""

    UTILITY_METER = "utility_meter"
    """Before the supply transfer switchgear: everything the grid delivers."""
    GENERATOR_METER = "generator_meter"
    FEEDER_METER = "feeder_meter"
    """Anywhere in the distribution; in no PUE sum."""
    UPS = "ups"
    UPS_OUTPUT_METER = "ups_output_meter"
    PDU_OUTPUT_METER = "pdu_output_meter"
    """Floor PDU or busway tap-off output."""
    RACK_PDU = "rack_pdu"
    POWER_SHELF = "power_shelf"
    COOLING_METER = "cooling_meter"
    """Electricity of cooling plant: chillers, pumps, towers, air handlers."""
    OTHER_LOAD_METER = "other_load_meter"
    """Lighting, offices, security."""
    CHILLER = "chiller"
    COOLING_TOWER = "cooling_tower"
    PUMP = "pump"
    CDU = "cdu"
    AIR_HANDLER = "air_handler"
    GPU_NODE = "gpu_node"
    SERVER = "server"
    INFERENCE_SERVER = "inference_server"
    """A program that serves models; what it draws its power through is its GPUs' nodes."""
    WEATHER_STATION = "weather_station"
    WATER_METER = "water_meter"
    HEAT_METER = "heat_meter"
    SWITCHGEAR = "switchgear"
    TRANSFORMER = "transformer"
    GENERATOR = "generator"
    ENVIRONMENT = "environment"


class MeterRole(StrEnum):
    """What a meter counts. A meter has one role, and a sum ranges over whole roles.

    So no sum can hold a total beside its parts, as long as meters of one role are never in series.
    """

    UTILITY = "utility"
    GENERATOR = "generator"
    ON_SITE_GENERATION = "on_site_generation"
    EXPORT = "export"
    """Energy given back to the grid: subtracted."""
    MV_OUTPUT = "mv_output"
    """Outgoing feeders of the medium-voltage switchgear: a stage of the ladder."""
    UPS_OUTPUT = "ups_output"
    """IT energy of PUE category 1 (ISO/IEC 30134-2)."""
    PDU_OUTPUT = "pdu_output"
    """IT energy of PUE category 2."""
    IT_INPUT = "it_input"
    """IT energy of PUE category 3: the input of the IT equipment."""
    SHELF_OUTPUT = "shelf_output"
    """DC output of rack power shelves: a stage of the ladder."""
    COOLING = "cooling"
    IT_FED_COOLING = "it_fed_cooling"
    """Cooling fed from IT power (in-rack pumps): moved from IT to cooling."""
    OTHER = "other"
    FEEDER = "feeder"
    """In the power tree, in no sum."""
