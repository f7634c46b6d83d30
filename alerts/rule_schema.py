"""The JSON Schema of a file of rules, for editors, and for saying which keys there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from alerts.rule import Rule
from facility.model import Model
from facility.schema_keys import keys_at


class RuleFile(Model):
    """A file of rules."""

    rules: tuple[Rule, ...]


@cache
def rule_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file of rules."""
    schema = RuleFile.model_json_schema()
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **schema, "title": "Busway alert rules"}


def rule_schema_text() -> str:
    """Text of `docs/rules.schema.json`."""
    return json.dumps(rule_schema(), indent=2) + "\n"


def known_keys(path: Sequence[str | int]) -> set[str]:
    """Keys that the mapping at a path may have."""
    return keys_at(rule_schema(), path)
