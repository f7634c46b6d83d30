"""`busway alert rules`: the rules, what each watches at a site, and why some watch nothing."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa

from alerts.offers import Offers
from alerts.rule_file import check_rules, load_pack, load_rules
from alerts.selection import Outcome, Resolution, resolve
from alerts.watch import SeriesKey
from busway.format import Format
from busway.output import write_table
from busway.site import load_checked_site
from collectors.profile_library import load_profile
from facility.site import Site

COLUMNS: dict[str, pa.DataType] = {
    "name": pa.string(),
    "priority": pa.int64(),
    "class": pa.string(),
    "condition": pa.string(),
    "quantity": pa.string(),
    "file": pa.string(),
    "watches": pa.int64(),
    "off_because": pa.string(),
}


def resolve_rules(site: Site, shown: Collection[SeriesKey] = ()) -> Resolution:
    """Join a site, its rules, the profiles of its devices, and the points that those have shown.

    Raises:
        RuleFileError: with every mistake in the rules.
        ProfileError: a profile is wrong.
    """
    return resolve(load_rules(site.alerts), site, offers_of(site).with_shown(shown))


def offers_of(site: Site) -> Offers:
    """Say what the profiles of a site's devices promise.

    Raises:
        ProfileError: a profile is wrong.
    """
    profiles = {device.profile for device in site.devices}
    return Offers(
        {
            name: tuple((point.component, point.quantity) for point in load_profile(name).points)
            for name in profiles
        }
    )


def print_rules(site_file: Path | None, output_format: Format) -> None:
    """Print one row a rule; without a site file, the pack alone.

    Raises:
        ConfigError: the site file, a file of rules or a profile is wrong.
    """
    if site_file is None:
        rows = [{**_row(Outcome(placed, 0)), "watches": None} for placed in load_pack()]
    else:
        outcomes = resolve_rules(load_checked_site(site_file)).outcomes
        rows = [_row(outcome) for outcome in outcomes]
    write_table(pa.Table.from_pylist(rows, pa.schema(COLUMNS)), output_format)


def check_rule_file(file: Path) -> None:
    """Say what is in a file of rules.

    Raises:
        RuleFileError: with every mistake in it.
    """
    rules = check_rules(file)
    print(f"{file} is in order: {', '.join(placed.rule.name for placed in rules)}")


def describe(resolution: Resolution) -> list[str]:
    """Give the lines that `busway check` prints about rules."""
    outcomes = resolution.outcomes
    on = [outcome for outcome in outcomes if outcome.watches]
    watches = sum(outcome.watches for outcome in on)
    lines = [f"alerts    {len(on):,} of {len(outcomes):,} rules watch {watches:,} parts"]
    values = sorted({name for outcome in outcomes for name in outcome.lacks})
    if values:
        lines.append(f"          not stated under site_values: {', '.join(values)}")
    lines += [
        f"          {placed.origin.place()}: rule {placed.rule.name} matches no device"
        for placed in resolution.unmatched()
    ]
    return lines


def _row(outcome: Outcome) -> dict[str, object]:
    rule = outcome.placed.rule
    return {
        "name": rule.name,
        "priority": rule.priority,
        "class": rule.class_,
        "condition": rule.kind,
        "quantity": rule.select.quantity,
        "file": outcome.placed.origin.place(),
        "watches": outcome.watches,
        "off_because": outcome.off_because or None,
    }
