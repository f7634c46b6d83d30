"""What an exporter is: by the series it prints."""

from __future__ import annotations

from collectors.dcgm.exposition import parse_head
from collectors.dcgm.fields import Fields
from collectors.identify.finding import Finding, Fit, profiles_of
from collectors.profile import Profile


def identify_exporter(text: str) -> Finding:
    """Profiles of an exporter, ranked by how many of its series each knows."""
    heads = {line.rpartition("} ")[0] for line in text.splitlines() if not line.startswith("#")}
    heads -= {""}
    known = [(_known_series(profile, heads), profile) for profile in profiles_of("dcgm")]
    fits = [
        Fit(profile, f"it knows {count} of the {len(heads)} series", (count,))
        for count, profile in known
        if count
    ]
    return Finding.of(f"an exporter's text with {len(heads)} series", fits)


def _known_series(profile: Profile, heads: set[str]) -> int:
    assert profile.dcgm is not None
    fields = Fields(profile.dcgm.points)
    known = 0
    for head in heads:
        try:
            known += fields.recognise(*parse_head(head.encode())) is not None
        except ValueError:  # no exposition; the driver counts such lines
            continue
    return known
