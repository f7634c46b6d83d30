"""`busway check`: what the daemons would make of a site file, without touching the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from busway.alert_rules import describe as describe_rules
from busway.alert_rules import resolve_rules
from busway.site import load_checked_site, points_of
from collectors.profile_library import load_profile
from facility.site import Site
from warehouse.location import LakeLocation

METERED = ("energy_imported_wh", "active_power_w")


def check_site(path: Path) -> None:
    """Load the site file and print what is in it.

    Raises:
        SiteFileError: with every mistake in it.
        RuleFileError: with every mistake in its rules.
    """
    site = load_checked_site(path)
    resolution = resolve_rules(site)
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{path}: [bold]{site.name}[/bold] is in order.")
    for line in (*describe(site), *describe_rules(resolution)):
        console.print(f"  {line}")


def describe(site: Site) -> Iterable[str]:
    """The facts a person checks first: devices, rate, meters, boundary, where the data goes."""
    yield f"devices   {len(site.devices):,}: {_counted(device.role for device in site.devices)}"
    points, unknown = _fixed_points_per_second(site)
    yield f"readings  {points:,.0f} a second from fixed points{unknown}"
    yield f"meters    {len(site.meters):,}: {_counted(meter.role for meter in site.meters)}"
    yield from (f"warning   {unread}" for unread in unread_meters(site))
    if site.boundary is None:
        yield "boundary  none, so no PUE"
    else:
        totals = {"E_DC": site.boundary.e_dc} | {
            f"E_IT category {category}": total for category, total in site.boundary.e_it.items()
        }
        for name, total in totals.items():
            minus = f" - {' - '.join(total.subtract)}" if total.subtract else ""
            yield f"boundary  {name} = {' + '.join(total.add)}{minus}"
    yield f"kafka     {', '.join(site.kafka.bootstrap_servers) or 'embedded'}"
    location = LakeLocation.of(site.lake)
    files = f", files in {location.storage.root}" if site.lake.bucket or site.lake.catalogue else ""
    yield f"lake      {location}{files}"


def unread_meters(site: Site) -> Iterable[str]:
    """Name the meters of which the device's profile reads neither energy nor power."""
    profiles = {device.id: device.profile for device in site.devices}
    by_point: dict[tuple[str, str], list[str]] = {}
    for meter in site.meters:
        by_point.setdefault((profiles[meter.device], meter.component), []).append(meter.id)
    for (profile, component), meters in by_point.items():
        if any(points_of(profile, component, *METERED)):
            continue
        others = f" and {len(meters) - 1:,} more" if len(meters) > 1 else ""
        part = f"component '{component}'" if component else "the whole device"
        yield (
            f"meter {meters[0]}{others}: profile {profile} reads neither energy nor power of {part}"
        )


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in Counter(names).most_common())


def _fixed_points_per_second(site: Site) -> tuple[float, str]:
    """Readings a second of points that need no discovery; tables count once known at run time."""
    rate = 0.0
    tables = 0
    for (name, interval), count in Counter(
        (device.profile, device.interval_seconds) for device in site.devices
    ).items():
        points = load_profile(name).points
        fixed = [point for point in points if "{" not in point.component]
        rate += len(fixed) * count / interval
        tables += count if len(fixed) < len(points) else 0
    more = f", and what {tables:,} devices list in tables" if tables else ""
    return rate, more
