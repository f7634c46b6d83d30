"""What an exporter is: by the series it prints."""

from __future__ import annotations

from collectors.dcgm.fields import Fields
from collectors.exporter.exposition import Recognise, parse_head, samples
from collectors.exporter.fields import SeriesFields
from collectors.exporter.series import Series
from collectors.identify.finding import Finding, Fit, profiles_of
from collectors.profile import Profile


def identify_exporter(text: str) -> Finding:
    """Profiles of an exporter, ranked by how many of its series each knows."""
    heads = {head for head, _ in samples(text)}
    known = [
        (_known_series(profile, heads), profile)
        for protocol in ("dcgm", "exporter")
        for profile in profiles_of(protocol)
    ]
    fits = [
        Fit(profile, f"it knows {count} of the {len(heads)} series", (count,))
        for count, profile in known
        if count
    ]
    return Finding.of(f"an exporter's text with {len(heads)} series", fits)


def recognising(profile: Profile) -> Recognise[Series]:
    """What knows the series of a profile that is read from an exporter's text."""
    if profile.dcgm is not None:
        return Fields(profile.dcgm.points).recognise
    assert profile.exporter is not None
    return SeriesFields(profile.exporter.points).recognise


def _known_series(profile: Profile, heads: set[str]) -> int:
    recognise = recognising(profile)
    known = 0
    for head in heads:
        try:
            known += recognise(*parse_head(head.encode())) is not None
        except ValueError:  # no exposition; the driver counts such lines
            continue
    return known
