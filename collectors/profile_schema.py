"""The JSON Schema of a profile file, for editors, and for saying which keys there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from collectors.profile import Profile
from facility.schema_keys import keys_at


@cache
def profile_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a profile file."""
    schema = Profile.model_json_schema()
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **schema, "title": "Busway device profile"}


def profile_schema_text() -> str:
    """Text of `docs/profile.schema.json`."""
    return json.dumps(profile_schema(), indent=2) + "\n"


def known_keys(path: Sequence[str | int]) -> set[str]:
    """Keys that the mapping at a path may have."""
    return keys_at(profile_schema(), path)
