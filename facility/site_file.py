"""`site.yaml`: read, expanded and checked, with every mistake named at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from facility.device_checks import (
    CREDENTIAL_TABLES,
    check_addresses,
    check_credentials,
    check_gpus,
    check_ids,
    check_profiles,
)
from facility.draft import Draft, StatedFactor
from facility.errors import SiteFileError
from facility.factor_checks import check_factors, undated_factors
from facility.factor_table import FactorRow, parse_factor_table, with_ends
from facility.garbage import collector_paused
from facility.inventory import parse_inventory
from facility.mistakes import Finding, Mistake, one_per_field
from facility.power_checks import (
    check_boundary,
    check_meters,
    check_power_path,
    check_series,
)
from facility.relative_paths import paths_in, resolved
from facility.site import Feed, Site
from facility.site_expansion import (
    add_broken,
    add_device,
    add_devices,
    add_feeds,
    add_meters,
    add_nodes,
)
from facility.site_form import Form, read_form
from facility.yaml_lines import YamlEntry, YamlMistake, parse_yaml

Profiles = Mapping[str, str] | Collection[str]

_PATH_SECTIONS = (
    *dict.fromkeys(CREDENTIAL_TABLES.values()),
    "kafka",
    "outbox",
    "lake",
    "alerts",
)


def load_site(path: str | Path, *, profiles: Profiles | None = None) -> Site:
    """Read a site file and its inventory; expand every group, range and selection.

    Args:
        path: the site file; paths in it are relative to its folder.
        profiles: names of the profiles there are, or the protocol of each by name
            (`modbus`, `snmp`, `dcgm`); without it, profiles are taken on trust.

    Raises:
        SiteFileError: with every mistake found, one a line, file by file.
    """
    with collector_paused():
        return _load(Path(path), profiles)


def _load(path: Path, profiles: Profiles | None) -> Site:
    try:
        file, mistakes = parse_yaml(_read_text(path), str(path))
    except YamlMistake as error:
        raise SiteFileError(str(error)) from None
    form = read_form(file)
    draft = Draft()
    mistakes += form.mistakes + _expand(form, draft, path.parent)
    mistakes += one_per_field(_findings(form, draft, path.parent, profiles))
    if not (mistakes or draft.devices):
        mistakes = [file.mistake((), "the site has no device; add devices, groups or inventory")]
    if mistakes:
        raise SiteFileError("\n".join(str(mistake) for mistake in sorted(set(mistakes))))
    return _site(form, draft, path.parent.absolute())


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SiteFileError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SiteFileError(f"{path}:{line}: is not UTF-8 text; save it as UTF-8") from None


def _expand(form: Form, draft: Draft, folder: Path) -> list[Mistake]:
    """Fill the draft; selections come last, when all devices are there to be selected."""
    for section in ("devices", "groups"):
        for entry, origin in form.section(section):
            add_devices(draft, entry, form.entries.defaults, origin)
    mistakes = _expand_inventory(form, draft, folder)
    for node, origin in form.section("nodes"):
        add_nodes(draft, node, origin)
    for feed, origin in form.section("feeds"):
        add_feeds(draft, feed, origin)
    _note_broken(form, draft)
    for meter, origin in form.section("meters"):
        add_meters(draft, meter, origin)
    return mistakes + _expand_factors(form, draft, folder)


def _expand_inventory(form: Form, draft: Draft, folder: Path) -> list[Mistake]:
    mistakes: list[Mistake] = []
    for name, origin in form.section("inventory"):
        try:
            text = _read_text(folder / name)
        except SiteFileError as error:
            mistakes.append(origin.mistake(str(error)))
            continue
        for row in parse_inventory(text, str(folder / name)):
            if isinstance(row, Mistake):
                mistakes.append(row)
            else:
                add_device(draft, row.fields, form.entries.defaults, row.origin)
    draft.has_lost_names |= bool(mistakes)
    return mistakes


def _expand_factors(form: Form, draft: Draft, folder: Path) -> list[Mistake]:
    factors, origin = form.entries.factors, YamlEntry(form.file, ("factors",))
    draft.factors += undated_factors(factors, form.file)
    found: list[FactorRow | Mistake] = []
    for index, name in enumerate(factors.tables):
        try:
            text = _read_text(folder / name)
        except SiteFileError as error:
            found.append(origin.mistake(str(error), "tables", index))
            continue
        zone = ZoneInfo(form.entries.site.time_zone)
        found += parse_factor_table(text, str(folder / name), zone)
    mistakes = [row for row in found if isinstance(row, Mistake)]
    for row in with_ends(row for row in found if isinstance(row, FactorRow)):
        if isinstance(row, Mistake):
            mistakes.append(row)
        else:
            draft.factors.append(StatedFactor(row.factor, row.origin, ("subject",)))
    return mistakes


def _note_broken(form: Form, draft: Draft) -> None:
    """Say what the entries left out would have named."""
    for path in form.broken:
        section, written = path[0], form.written(path)
        if section in ("devices", "groups", "nodes") and isinstance(written, dict):
            add_broken(draft, written, YamlEntry(form.file, path))
        elif section in ("devices", "groups", "nodes", "inventory") or form.is_unknown(path):
            draft.has_lost_names = True
        draft.has_lost_meters |= section == "meters" or form.is_unknown(path)


def _findings(
    form: Form, draft: Draft, folder: Path, profiles: Profiles | None
) -> Iterator[Finding]:
    yield from draft.findings
    yield from check_ids(draft)
    yield from check_addresses(draft)
    if profiles is not None:
        yield from check_profiles(draft, profiles)
    yield from check_credentials(draft, {t: form.keys(t) for t in CREDENTIAL_TABLES.values()})
    yield from check_gpus(draft)
    yield from check_power_path(draft)
    yield from check_meters(draft)
    yield from check_series(draft)
    yield from check_factors(draft)
    if form.entries.boundary is not None:
        origin = YamlEntry(form.file, ("boundary",))
        yield from check_boundary(draft, form.entries.boundary, origin)
    yield from _missing_files(form, folder)


def _missing_files(form: Form, folder: Path) -> Iterator[Finding]:
    """Certificates must be there; secrets may come later, and say so themselves when read."""
    root = YamlEntry(form.file, ())
    for section in ("http_credentials", "modbus_credentials", "kafka", "lake"):
        for field, path in paths_in(getattr(form.entries, section)):
            if str(field[-1]).endswith("_file") and not (folder / path).is_file():
                yield Finding(root, (section, *field), f"{folder / path} is no file")
    for index, path in enumerate(form.entries.alerts.rules):
        if not (folder / path).is_file():
            yield Finding(root, ("alerts", "rules", index), f"{folder / path} is no file")


def _site(form: Form, draft: Draft, folder: Path) -> Site:
    entries = form.entries
    return Site(
        name=entries.site.name,
        time_zone=entries.site.time_zone,
        provisioned_mw=entries.site.provisioned_mw,
        devices=tuple(device for device, _ in draft.devices),
        nodes=tuple(name for name, _ in draft.nodes),
        feeds=tuple(Feed(source=edge.source, target=edge.target) for edge in draft.edges()),
        meters=tuple(meter for meter, _ in draft.meters),
        boundary=entries.boundary,
        factors=tuple(stated.factor for stated in draft.factors),
        loss_bands=entries.loss_bands,
        **{section: resolved(getattr(entries, section), folder) for section in _PATH_SECTIONS},
    )
