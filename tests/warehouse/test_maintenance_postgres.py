"""The same upkeep with PostgreSQL as the catalogue, with sinks at work on another connection."""

from __future__ import annotations

import threading
from datetime import timedelta

from maintenance_rig import all_readings, fill, reading_files

from warehouse.lake import Lake
from warehouse.maintenance import expiry
from warehouse.maintenance.compaction import compact
from warehouse.maintenance.expiry import expire
from warehouse.maintenance.inlined import tidy_inlined
from warehouse.maintenance.retention import retain
from warehouse.maintenance.verification import verify
from warehouse.sink import ENGINE

FILES = 24


def test_files_are_merged_let_go_and_dropped_while_others_come(postgres_lake, monkeypatch):
    place = postgres_lake()
    monkeypatch.setattr(expiry, "READER_GRACE", timedelta(0))
    with (
        Lake.create_or_open(place, settings=ENGINE) as lake,
        Lake.create_or_open(place, settings=ENGINE) as other,
    ):
        fill(lake, 4)
        sink = threading.Thread(target=fill, args=(other, FILES - 4), kwargs={"first": 5})
        sink.start()
        while sink.is_alive():
            compact(lake)
        sink.join()
        stored = sorted(row[4] for row in all_readings(lake))
        assert stored == [seq * 1000.0 + row for seq in range(1, FILES + 1) for row in range(40)]
        while compact(lake).more:
            pass
        assert len(reading_files(lake)) < FILES
        expire(lake, timedelta(0))
        assert expire(lake, timedelta(0)).files_in >= FILES // 2
        tidy_inlined(lake)
        assert verify(lake).trouble == ""
        assert sorted(row[4] for row in all_readings(other)) == stored
        assert retain(lake, {"readings": 0.001}).rows == FILES * 40
        assert all_readings(other) == []
