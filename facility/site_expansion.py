"""From the entries of a site file to devices, nodes, feeds and meters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from facility.draft import Draft, Edge
from facility.expansion import LARGEST, Ranges, Value, combinations, count, parse_template
from facility.mistakes import Finding, Origin, Step, did_you_mean
from facility.site import Device, DeviceId, Meter, Place
from facility.site_entries import (
    Defaults,
    DeviceEntry,
    FeedEntry,
    Group,
    MeterEntry,
    NodeEntry,
    WrittenRanges,
)
from facility.validation import explain

Texts = dict[tuple[Step, ...], str]
"""The texts of an entry that may hold placeholders, by field."""

_place = cache(Place)
_node_id: TypeAdapter[str] = TypeAdapter(DeviceId)
_ranges: TypeAdapter[dict[str, tuple[Value, ...]]] = TypeAdapter(WrittenRanges)


def add_devices(draft: Draft, entry: DeviceEntry, defaults: Defaults, origin: Origin) -> None:
    """Add the device of an entry, or every device of a group."""
    ranges = entry.ranges if isinstance(entry, Group) else {}
    stated = entry.model_dump(
        include={"profile", "role", "credential", "interval_seconds", "timeout_seconds", "gpus"},
        exclude_none=True,
    )
    texts: Texts = {("id",): entry.id, ("address",): entry.address}
    texts |= {("place", key): text for key, text in entry.place if text}
    texts |= {("fed_by", index): text for index, text in enumerate(entry.fed_by)}
    if not _templates_are_sound(draft, texts, ranges, origin):
        draft.has_lost_names = True
        return
    for filled in _fill(texts, ranges):
        place = {str(path[1]): text for path, text in filled.items() if path[0] == "place"}
        fields = {
            **stated,
            "id": filled["id",],
            "address": filled["address",],
            "place": _place(**place),
            "fed_by": tuple([text for path, text in filled.items() if path[0] == "fed_by"]),
        }
        add_device(draft, fields, defaults, origin)


def add_device(draft: Draft, fields: Mapping[str, Any], defaults: Defaults, origin: Origin) -> None:
    """Add one device from what its entry states."""
    try:
        device = Device.model_validate(_with_times(fields, defaults))
    except ValidationError as error:
        draft.findings += [Finding(origin, path, text) for path, text in explain(error, fields)]
        if "id" in fields:
            draft.broken_names.add(fields["id"])
        else:
            draft.has_lost_names = True
        return
    draft.devices.append((device, origin))
    if device.timeout_seconds > device.interval_seconds:
        text = (
            f"a timeout of {device.timeout_seconds:g} s is longer than the interval of "
            f"{device.interval_seconds:g} s; make it {device.interval_seconds:g} or less"
        )
        draft.findings.append(Finding(origin, ("timeout_seconds",), text))


def add_broken(draft: Draft, written: Mapping[str, Any], origin: Origin) -> None:
    """Note the ids that an otherwise wrong entry declares, and check its placeholders."""
    try:
        ranges = _ranges.validate_python(written.get("for", {}))
    except ValidationError:
        draft.has_lost_names = True
        return
    texts: Texts = {
        (key,): written[key] for key in ("id", "address") if isinstance(written.get(key), str)
    }
    if _templates_are_sound(draft, texts, ranges, origin) and ("id",) in texts:
        draft.broken_names.update(filled["id",] for filled in _fill(texts, ranges))
    else:
        draft.has_lost_names = True


def add_nodes(draft: Draft, entry: NodeEntry, origin: Origin) -> None:
    """Add the node of an entry, or every node of its ranges."""
    texts: Texts = {("id",): entry.id}
    if not _templates_are_sound(draft, texts, entry.ranges, origin):
        draft.has_lost_names = True
        return
    for filled in _fill(texts, entry.ranges):
        try:
            draft.nodes.append((_node_id.validate_python(filled["id",]), origin))
        except ValidationError as error:
            draft.broken_names.add(filled["id",])
            draft.findings += [Finding(origin, ("id",), text) for _, text in explain(error, None)]


def add_feeds(draft: Draft, entry: FeedEntry, origin: Origin) -> None:
    """Add the feed of an entry, or every feed of its ranges."""
    texts: Texts = {("from",): entry.source, ("to",): entry.target}
    if _templates_are_sound(draft, texts, entry.ranges, origin):
        draft.feeds += [
            Edge(filled["from",], filled["to",], origin, ())
            for filled in _fill(texts, entry.ranges)
        ]


def add_meters(draft: Draft, entry: MeterEntry, origin: Origin) -> None:
    """Add the meter of an entry, or one for each device that it selects."""
    if entry.device is not None:
        draft.meters.append((_meter(entry, entry.device), origin))
        return
    wanted = entry.devices
    assert wanted is not None
    found = [
        device.id
        for device, _ in draft.devices
        if wanted.role in (None, device.role) and wanted.profile in (None, device.profile)
    ]
    draft.meters += [(_meter(entry, device), origin) for device in found]
    draft.has_lost_meters |= not found
    if not found and not draft.broken_names and not draft.has_lost_names:
        roles = {device.role.value for device, _ in draft.devices}
        profiles = {device.profile for device, _ in draft.devices}
        known = profiles if wanted.role is None else roles
        asked = ", ".join(f"{key} {value}" for key, value in wanted if value)
        hint = did_you_mean(wanted.role or wanted.profile or "", known)
        text = f"no device has {asked}; {hint}"
        draft.findings.append(Finding(origin, ("devices",), text))


def _meter(entry: MeterEntry, device: str) -> Meter:
    return Meter.model_construct(
        id=entry.id or (f"{device}:{entry.component}" if entry.component else device),
        device=device,
        component=entry.component,
        role=entry.role,
        accuracy_class=entry.accuracy_class,
        max_power_kw=entry.max_power_kw,
    )


def _with_times(fields: Mapping[str, Any], defaults: Defaults) -> dict[str, Any]:
    interval = fields.get("interval_seconds", defaults.interval_seconds)
    timeout = defaults.timeout_seconds
    if isinstance(interval, float):
        timeout = min(timeout, interval)
    return {"interval_seconds": interval, "timeout_seconds": timeout, **fields}


def _templates_are_sound(draft: Draft, texts: Texts, ranges: Ranges, origin: Origin) -> bool:
    findings = []
    for path, text in texts.items():
        try:
            parse_template(text, ranges)
        except ValueError as error:
            findings.append(Finding(origin, path, str(error)))
    if count(ranges) > LARGEST:
        text = f"makes {count(ranges):,} of them; {LARGEST:,} are the most for one entry"
        findings.append(Finding(origin, ("for",), text))
    draft.findings += findings
    return not findings


def _fill(texts: Texts, ranges: Ranges) -> Iterator[Texts]:
    templates = {path: parse_template(text, ranges) for path, text in texts.items()}
    for values in combinations(ranges, templates.values()):
        yield {path: template.fill(values) for path, template in templates.items()}
