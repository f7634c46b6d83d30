"""The JSON Schema of `site.yaml`, for editors, and for saying which keys there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from facility.schema_keys import keys_at
from facility.site_entries import SiteFile


@cache
def site_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the site file."""
    schema = SiteFile.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "site.yaml",
    }


def site_schema_text() -> str:
    """Text of `docs/site.schema.json`."""
    return json.dumps(site_schema(), indent=2) + "\n"


def known_keys(path: Sequence[str | int]) -> set[str]:
    """Keys that the mapping at a path may have."""
    return keys_at(site_schema(), path)
