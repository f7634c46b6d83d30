"""A lake's tables in plain DuckDB, with the SQL files installed: what the tests of the SQL use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from facility.loss_bands import default_loss_bands
from warehouse import lake, sql_catalogue
from warehouse.connection import PLANS_SOON

START = datetime(2026, 10, 1, tzinfo=UTC)
"""Second 0 of every test."""
DIMENSIONS = (
    "sites",
    "devices",
    "meters",
    "boundary_terms",
    "feeds",
    "factors",
    "loss_bands",
    "quantities",
)
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def statements(name: str) -> str:
    """Give a table's own DDL, less what only DuckLake knows."""
    text = Path(lake.SCHEMA / f"{name}.sql").read_text("utf-8")
    return re.sub(r"^alter table .* set sorted by .*;$", "", text, flags=re.MULTILINE)


class SqlBench:
    """Tables, rows by the second, and questions."""

    def __init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute(PLANS_SOON)
        self.database.execute("set TimeZone = 'UTC'")
        for file in sorted(lake.SCHEMA.glob("*.sql")):
            if file.stem != "options":
                self.database.execute(statements(file.stem))
        for definition in sql_catalogue.load_definitions():
            if definition.name != "storage":  # asks DuckLake for its files
                self.database.execute(definition.text)

    def clear(self) -> None:
        """Empty every table: cheaper than another database."""
        for name in ("readings", "polls", "collector_progress", *DIMENSIONS):
            self.database.execute(f"delete from {name}")

    def site(self, time_zone: str = "UTC", minimum_coverage_ratio: float = 0.99) -> None:
        self.insert("sites", "demo", time_zone, 2e6, "site", minimum_coverage_ratio)
        for part, band in default_loss_bands().items():
            ratios = (band.low_ratio, band.typical_ratio, band.high_ratio)
            self.insert("loss_bands", str(part), ",".join(band.nodes), *ratios, band.source)

    def boundary(self, **roles: list[str]) -> None:
        """`e_dc=["utility"], e_it_1=["ups_output"]`; a role with a leading - is subtracted."""
        for key, terms in roles.items():
            total, category = (key, 0) if key == "e_dc" else ("e_it", int(key[-1]))
            for term in terms:
                role, sign = term.removeprefix("-"), -1 if term.startswith("-") else 1
                self.insert("boundary_terms", "site", total, category, role, sign)

    def meter(
        self,
        name: str,
        role: str = "utility",
        *,
        interval_s: float = 10,
        max_power_w: float | None = 1e6,
        modulus_wh: float | None = None,
        resolution_wh: float | None = 1,
        accuracy_class: float = 0.5,
    ) -> None:
        """Add a device of the meter's name and the meter on it."""
        self.insert("devices", name, "p", "feeder_meter", interval_s, "hall-1", "", "")
        facts = (accuracy_class, max_power_w, modulus_wh, resolution_wh)
        self.insert("meters", name, name, "", role, *facts)

    def factor(
        self,
        name: str,
        subject: str = "",
        value: float | str = 0,
        *,
        from_s: float | None = None,
        to_s: float | None = None,
    ) -> None:
        """State a factor of the site file, or a row of a table where it has times."""
        text = value if isinstance(value, str) else None
        number = None if isinstance(value, str) else value
        times = [None if s is None else at(s) for s in (from_s, to_s)]
        self.insert("factors", name, subject, number, text, *times)

    def insert(self, table: str, *values: object) -> None:
        """Add a row of a dimension that has always been true and still is."""
        row = (*values, BEGINNING, None)
        marks = ", ".join("?" * len(row))
        self.database.execute(f"insert into {table} values ({marks})", row)

    def read(
        self,
        device: str,
        readings: Iterable[tuple[float, float | None]],
        quantity: str = "energy_imported_wh",
        *,
        component: str = "",
        quality: int = 0,
    ) -> None:
        """Store (second, value) pairs."""
        pairs = list(readings)
        if not pairs:
            return
        table = pa.table(
            {
                "ts": pa.array([at(s) for s, _ in pairs], pa.timestamp("us", "UTC")),
                "device": pa.array([device] * len(pairs)),
                "component": pa.array([component] * len(pairs)),
                "quantity": pa.array([quantity] * len(pairs)),
                "value": pa.array([v for _, v in pairs], pa.float64()),
                "quality": pa.array([quality] * len(pairs), pa.uint8()),
            }
        )
        self.database.register("arrived", table)
        self.database.execute("insert into readings select * from arrived")
        self.database.unregister("arrived")

    def ask(self, text: str, parameters: object = ()) -> list[dict[str, object]]:
        return self.database.execute(text, parameters).to_arrow_table().to_pylist()

    def energy(self, start_s: float, end_s: float, grain: str = "window") -> list[dict]:
        question = "from energy($a, $b, $g) order by period_start_at, meter"
        return self.ask(question, {"a": at(start_s), "b": at(end_s), "g": grain})

    def pue(self, start_s: float, end_s: float, category: int, grain: str = "window") -> list[dict]:
        question = "from pue($a, $b, $g, $c) order by period_start_at"
        return self.ask(question, {"a": at(start_s), "b": at(end_s), "g": grain, "c": category})
