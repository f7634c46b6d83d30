"""What `busway alert test` sends: an alert that begins and ends, and says that nothing is wrong."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from alerts.notice import SEVERITIES, Notice, Notification, Status
from facility.alert import State, Transition, alert_id

RULE = "hook-test"
PRIORITY = 4


def samples(hook: str, site: str, now: datetime) -> Iterator[Notification]:
    """Give the two notifications of a test."""
    begun = Transition(
        happened_at=now,
        decided_at=now,
        alert=alert_id(RULE, site, hook),
        number=1,
        rule=RULE,
        device=site,
        component=hook,
        quantity="",
        priority=PRIORITY,
        class_="test",
        state=State.FIRING,
        previous=State.NORMAL,
        value=None,
        threshold=None,
        message=f"This is a test of the hook {hook}; nothing is wrong.",
        response="",
        owner="",
    )
    ended = replace(begun, number=2, state=State.NORMAL, previous=State.FIRING)
    labels = {
        "alertname": RULE,
        "rule": RULE,
        "site": site,
        "device": site,
        "component": hook,
        "priority": str(PRIORITY),
        "severity": SEVERITIES[PRIORITY],
        "class": "test",
    }
    for status, told in ((Status.FIRING, begun), (Status.RESOLVED, ended)):
        yield Notification(
            delivery=uuid.uuid4().hex,
            hook=hook,
            site=site,
            group=f"[{RULE}]",
            group_labels={"rule": RULE},
            notices=(Notice(status, now, told, labels, is_new=True),),
            made_at=now,
        )
