"""The JSON Schema, the examples and the reference agree with the models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from facility.inventory import COLUMNS
from facility.roles import DeviceRole, MeterRole
from facility.site_schema import known_keys, site_schema, site_schema_text

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "site-file.md").read_text("utf-8")


def keys_in(schema: Any) -> Iterator[str]:
    for part in (schema, *schema["$defs"].values()):
        yield from part.get("properties", {})


def test_the_committed_schema_is_that_of_the_models() -> None:
    committed = (ROOT / "docs" / "site.schema.json").read_text("utf-8")
    assert committed == site_schema_text(), (
        "write facility.site_schema.site_schema_text() to docs/site.schema.json"
    )


@pytest.mark.parametrize("example", ["site-small", "site-250mw", "gpu-nodes"])
def test_the_examples_fit_the_schema(example: str) -> None:
    text = (ROOT / "examples" / example / "site.yaml").read_text("utf-8")
    data = json.loads(json.dumps(yaml.safe_load(text)))
    jsonschema.validate(data, site_schema(), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"site": {"name": "a"}, "device": []},
        {"site": {"name": "a"}, "devices": [{"id": "a"}]},
        {"site": {"name": "a"}, "outbox": {"when_full": "drop"}},
        {"site": {"name": "a"}, "boundary": {"e_dc": ["utilty"], "e_it": {}}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(wrong: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, site_schema())


def test_every_key_column_and_role_is_in_the_reference() -> None:
    names = {*keys_in(site_schema()), *COLUMNS, *DeviceRole, *MeterRole}
    assert [name for name in sorted(names) if f"`{name}`" not in REFERENCE] == []


def test_every_key_of_the_references_tables_is_a_key() -> None:
    keys = set(keys_in(site_schema())) | set(DeviceRole) | set(MeterRole)
    rows = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", REFERENCE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert len(named) > len(DeviceRole)
    assert named <= keys


def test_the_keys_at_a_path_are_known_through_lists_mappings_and_alternatives() -> None:
    assert known_keys(("devices", 3, "place")) == {"hall", "row", "rack"}
    assert known_keys(("nodes", 0)) == {"id", "for"}
    assert known_keys(("boundary", "e_it", 1)) == {"add", "subtract"}
    assert known_keys(("snmp_credentials", "pdu", "auth_key")) == {"env", "file"}
