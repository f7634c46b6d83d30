# ruff: noqa: INP001 - a script, run by its path
"""Write site.yaml and plant.csv of the 250 MW example.

Run it as `python examples/site-250mw/generate.py` after editing counts.yaml, where all numbers are.
shapes.yaml says how the devices of a kind are named and fed, frame.yaml is the rest of the site
file. A count that the layout does not allow, such as half a tray in a rack, is refused by name.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from math import prod
from pathlib import Path
from string import Template
from textwrap import indent
from typing import Any

import yaml

FOLDER = Path(__file__).parent
HEADER = """\
# yaml-language-server: $$schema=../../docs/site.schema.json
# A 250 MW AI site. Written by generate.py: edit counts.yaml, shapes.yaml and frame.yaml, not this.

"""
NAMES = {
    "hall": "hall-{hall}",
    "row": "hall-{hall}/row-{row:02}",
    "row_rack": "hall-{hall}/row-{row:02}/rack-{rack:02}",
    "block": "hall-{hall}/block-{block:02}",
    "rack": "hall-{hall}/block-{block:02}/rack-{rack}",
}
SIDES = ("a", "b")
YARDS = ("east", "west")
COLUMNS = ("id", "profile", "address", "role", "interval_seconds", "hall", "fed_by")
FIRST_PUMP_METER = 84
"""Of a hall's cooling meters; the ones before it feed air handlers, chillers and towers."""

Places = dict[str, int]
Ranges = dict[str, Any]


def places_of(layout: dict[str, int]) -> dict[str, Places]:
    """How many there are of each place, by the variables that name it."""
    hall = {"hall": layout["halls"]}
    row = hall | {"row": layout["rows_per_hall"]}
    block = hall | {"block": layout["blocks_per_hall"]}
    row_rack = row | {"rack": layout["racks_per_row"]}
    rack = block | {"rack": layout["racks_per_block"]}
    outer: dict[str, Places] = {"site": {}, "hall": hall, "row": row, "block": block}
    return outer | {"row_rack": row_rack, "rack": rack}


def spread(kind: str, shape: dict[str, Any], count: int, places: Places) -> Iterator[Ranges]:
    """Spread devices evenly over the places; where halls differ, the first ones have one more."""
    sides: Ranges = {"side": list(SIDES)} if shape.get("sides") else {}
    each, over = divmod(count, prod(places.values()) * (len(SIDES) if sides else 1))
    if (over and (shape["in"] != "hall" or sides)) or ("number" not in shape and each != 1):
        raise SystemExit(f"counts.yaml: {count} of {kind} cannot be spread over {places}")
    for first, last, number in ((1, over, each + 1), (over + 1, places.get("hall", 1), each)):
        if first <= last:
            ranges: Ranges = {name: f"1..{many}" for name, many in places.items()}
            if over:
                ranges["hall"] = f"{first}..{last}"
            yield ranges | sides | ({shape["number"]: f"1..{number}"} if "number" in shape else {})


def named(text: str) -> str:
    """Put in the ids of places: `<rack>/tray-{tray:02}`."""
    for place, name in NAMES.items():
        text = text.replace(f"<{place}>", name)
    return text


def groups(counts: Any, shapes: Any) -> Iterator[dict[str, Any]]:
    """Every entry of `groups`, in the order of shapes.yaml."""
    places = places_of(counts["layout"])
    for kind, shape in shapes.items():
        row = counts["devices"][kind]
        for ranges in spread(kind, shape, row["count"], places[shape["in"]]):
            place = {name: f"{{{name}}}" for name in ("hall", "row", "rack") if name in ranges}
            entry = {
                "id": named(shape["id"]),
                "for": ranges,
                "profile": row["profile"],
                "address": shape["address"],
                "role": row["role"],
                "gpus": shape.get("gpus"),
                "credential": shape.get("credential"),
                "interval_seconds": counts["interval_seconds"][row["tier"]],
                "place": place,
                "fed_by": [named(source) for source in shape.get("fed_by", ())],
            }
            yield {key: value for key, value in entry.items() if value}


def plant_rows(counts: Any) -> Iterator[tuple[str, str, str, str, str]]:
    """(kind, id, address, hall, fed_by) of what comes in no even number anywhere."""
    many = {kind: row["count"] for kind, row in counts["devices"].items()}
    for yard, total in enumerate(yards(many["generator"]), start=1):
        for n in range(1, total + 1):
            name = f"{YARDS[yard - 1]}-yard/generator-{n:03}"
            yield "generator", name, f"modbus://10.80.{yard}.{n}", "", ""
            yield "generator_meter", f"{name}/meter", f"modbus://10.81.{yard}.{n}", "", name
    for n in range(many["pump"]):
        hall, number = n % counts["layout"]["halls"] + 1, n // counts["layout"]["halls"]
        meter = f"hall-{hall}/cooling/meter-{FIRST_PUMP_METER + number:03}"
        name = f"hall-{hall}/pump-{number + 1:02}"
        yield "pump", name, f"modbus://10.82.{hall}.{number + 1}", str(hall), meter
    for n in range(1, many["bess"] + 1):
        bus = f"mv/bus-{SIDES[n % len(SIDES)]}"
        yield "bess", f"west-yard/battery-{n:02}", f"modbus://10.83.1.{n}", "", bus


def yards(generators: int) -> tuple[int, int]:
    """How many generators stand in each yard."""
    east = generators * 13 // 25
    return east, generators - east


def plant_text(counts: Any) -> str:
    """The text of plant.csv."""
    text = StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    for kind, name, address, hall, fed_by in plant_rows(counts):
        row = counts["devices"][kind]
        interval = counts["interval_seconds"][row["tier"]]
        out.writerow([name, row["profile"], address, row["role"], interval, hall, fed_by])
    return text.getvalue()


def site_text(counts: Any, shapes: Any, frame: str) -> str:
    """The text of site.yaml."""
    layout = counts["layout"]
    many = {kind: row["count"] for kind, row in counts["devices"].items()}
    hall_sides = layout["halls"] * len(SIDES)
    racks = layout["halls"] * layout["blocks_per_hall"] * layout["racks_per_block"]
    transformers = many["main_transformer"]
    east, west = yards(many["generator"])
    numbers = {
        "halls": layout["halls"],
        "blocks": layout["blocks_per_hall"],
        "racks": layout["racks_per_block"],
        "bus_a_transformers": transformers // 2,
        "bus_b_transformers": f"{transformers // 2 + 1}..{transformers}",
        "east_generators": east,
        "west_generators": west,
        "mv_meters": many["mv_meter"] // hall_sides,
        "ups_meters": many["ups_meter"] // hall_sides,
        "shelves": many["power_shelf"] // (racks * len(SIDES)),
    }
    text = Template(HEADER + frame).substitute(counts["site"] | numbers)
    dumped = yaml.safe_dump(
        list(groups(counts, shapes)), sort_keys=False, width=100, default_flow_style=None
    )
    return text + indent(dumped, "  ")


def main() -> None:
    """Read the three files and write the two."""
    counts = yaml.safe_load((FOLDER / "counts.yaml").read_text("utf-8"))
    shapes = yaml.safe_load((FOLDER / "shapes.yaml").read_text("utf-8"))
    frame = (FOLDER / "frame.yaml").read_text("utf-8")
    (FOLDER / "site.yaml").write_text(site_text(counts, shapes, frame), "utf-8")
    (FOLDER / "plant.csv").write_text(plant_text(counts), "utf-8")


if __name__ == "__main__":
    main()
