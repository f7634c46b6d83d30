"""Which jobs a site's lake has, and how often."""

from __future__ import annotations

from datetime import timedelta

from facility.site import Lake as LakeSettings
from warehouse.maintenance.compaction import compact
from warehouse.maintenance.expiry import expire
from warehouse.maintenance.inlined import tidy_inlined
from warehouse.maintenance.jobs import Job
from warehouse.maintenance.orphans import remove_orphans
from warehouse.maintenance.retention import retain
from warehouse.maintenance.verification import verify
from warehouse.rollup.roll_up import roll_up

MINUTE_S, HOUR_S = 60.0, 3600.0


def jobs_of(settings: LakeSettings) -> tuple[Job, ...]:
    """Give the jobs in the order in which they run when all are due."""
    history = timedelta(hours=settings.history_hours)
    return (
        Job("verify", verify, HOUR_S),
        Job("compact", compact, MINUTE_S),
        Job("roll_up", roll_up, MINUTE_S),
        Job("retain", lambda lake: retain(lake, settings.retention_days), HOUR_S),
        Job("expire", lambda lake: expire(lake, history), 10 * MINUTE_S),
        Job("tidy", tidy_inlined, 10 * MINUTE_S),
        Job("remove_orphans", remove_orphans, HOUR_S),
    )
