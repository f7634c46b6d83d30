"""What kinds of hooks want to hear, beyond what begins and ends."""

from __future__ import annotations

from dataclasses import dataclass

from facility.alert_hooks import AlertmanagerHook, Hook, PagerDutyHook


@dataclass(frozen=True, slots=True)
class Manner:
    """How one hook is told."""

    takes_acknowledgements: bool = False
    repeat_s: float | None = None
    """Instead of the route's; 0: never."""
    mirrors: bool = False
    """Whether all that stands is repeated, acknowledged and silenced alerts as well."""


def manner_of(hook: Hook) -> Manner:
    """PagerDuty keeps what it is told, an Alertmanager forgets it."""
    if isinstance(hook, PagerDutyHook):
        return Manner(takes_acknowledgements=True, repeat_s=0.0)
    if isinstance(hook, AlertmanagerHook):
        return Manner(repeat_s=hook.refresh_seconds, mirrors=True)
    return Manner()
