"""What a demo shows while it runs: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from busway.assembly import Assembly
from busway.demo_report import PUE
from facility.errors import BuswayError
from facility.site import Site
from warehouse.lake import Lake
from warehouse.query import run_sql

REFRESH_SECONDS = 0.5
PUE_SECONDS = 3.0
LINE_SECONDS = 5.0
COMPLETE_UNTIL = "select min(latest_at) as until_at from freshness where latest_at is not null"


class DemoView:
    """Readings a second, devices up, PUE so far, lag."""

    def __init__(self, console: Console, site: Site, lake: Path, seconds: int) -> None:
        self._console = console
        self._site = site
        self._lake = lake
        self._seconds = seconds
        self._message = ""
        self._from_at: datetime | None = None
        self._to_at: datetime | None = None
        self._facts: Mapping[str, dict[str, Any]] = {}
        self._rows: list[tuple[float, int]] = []
        self._pue: list[dict[str, Any]] = []

    def say(self, message: str) -> None:
        """Show what is going on."""
        self._message = message
        if not self._console.is_terminal:
            self._console.print(message)

    def begin(self, from_at: datetime, to_at: datetime) -> None:
        """Everything is up: the window that will be judged is known."""
        self._from_at, self._to_at = from_at, to_at
        self.say(f"Polling for {self._seconds} s.")

    @asynccontextmanager
    async def watching(self, assembly: Assembly) -> AsyncIterator[None]:
        """Refresh while the block runs."""
        tasks = [
            asyncio.create_task(self._watch_services(assembly)),
            asyncio.create_task(self._watch_pue()),
        ]
        live = Live(self._render(), console=self._console, auto_refresh=False, transient=True)
        show = self._show_live(live) if self._console.is_terminal else self._show_lines()
        tasks.append(asyncio.create_task(show))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch_services(self, assembly: Assembly) -> None:
        while True:
            self._facts = await assembly.facts()
            self._rows.append((time.monotonic(), self._sum("sink", "rows")))
            self._rows = self._rows[-int(5 / REFRESH_SECONDS) :]
            await asyncio.sleep(REFRESH_SECONDS)

    async def _watch_pue(self) -> None:
        while True:
            await asyncio.sleep(PUE_SECONDS)
            with suppress(BuswayError):  # the lake may not be there yet; the next look comes soon
                self._pue = await asyncio.to_thread(self._ask_pue)

    def _ask_pue(self) -> list[dict[str, Any]]:
        if self._from_at is None or datetime.now(UTC) <= self._from_at:
            return []
        with Lake.open_read_only(self._lake) as lake:
            latest = run_sql(lake, COMPLETE_UNTIL)["until_at"][0].as_py()
            if latest is None or latest <= self._from_at:
                return []
            window = {"from_at": self._from_at, "to_at": latest}
            return list(run_sql(lake, PUE, window).to_pylist())

    async def _show_live(self, live: Live) -> None:
        with live:
            while True:
                live.update(self._render(), refresh=True)
                await asyncio.sleep(REFRESH_SECONDS)

    async def _show_lines(self) -> None:
        while True:
            await asyncio.sleep(LINE_SECONDS)
            if self._from_at is not None:
                cells = " | ".join(f"{name} {value}" for name, value in self._cells())
                self._console.print(cells)

    def _render(self) -> Group:
        grid = Table.grid(padding=(0, 2))
        for name, value in self._cells():
            grid.add_row(Text(name, style="dim"), Text(value, style="bold"))
        return Group(Text(self._message), grid)

    def _cells(self) -> list[tuple[str, str]]:
        up, devices = self._sum("collector", "devices_up"), len(self._site.devices)
        cells = [
            ("readings/s", f"{self._rate():,.0f}"),
            ("stored", f"{self._sum('sink', 'rows'):,}"),
            ("devices up", f"{up} of {devices}"),
            ("lag", f"{self._sum('sink', 'lag'):,} messages"),
        ]
        cells += [(f"PUE category {row['category']}", _pue_text(row)) for row in self._pue]
        if self._to_at is not None:
            left = max(0.0, (self._to_at - datetime.now(UTC)).total_seconds())
            cells.append(("left", f"{left:.0f} s"))
        return cells

    def _sum(self, prefix: str, fact: str) -> int:
        return sum(
            int(facts.get(fact) or 0)
            for name, facts in self._facts.items()
            if name.startswith(prefix)
        )

    def _rate(self) -> float:
        if not self._rows:
            return 0.0
        (begin, first), (end, last) = self._rows[0], self._rows[-1]
        return (last - first) / (end - begin) if end > begin else 0.0


def _pue_text(row: Mapping[str, Any]) -> str:
    ratio = row["pue_ratio"]
    return f"{ratio:.4f}" if ratio is not None else f"- (coverage {row['coverage_ratio']:.2f})"
