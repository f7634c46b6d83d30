"""docs/alert-rules.md tells of the rules as they are."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from pack_table import table

from alerts.condition import KNOWN_OF_SITE
from alerts.rule import Rule, Select, Suppression
from alerts.rule_file import check_rules, load_pack

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "alert-rules.md").read_text("utf-8")


def test_the_table_of_the_pack_is_that_of_its_files() -> None:
    assert table() in PAGE, "python tests/alerts/pack_table.py prints the table"


def test_every_site_value_of_the_pack_is_explained() -> None:
    needed = {name for placed in load_pack() for name in placed.rule.site_values}
    listed = PAGE[PAGE.index("| site value |") : PAGE.index("The demand rules need")]
    assert set(re.findall(r"`([a-z_]+)`", listed)) == needed


def test_each_of_the_35_items_is_a_rule_or_has_a_reason_why_not() -> None:
    sources = [placed.rule.source for placed in load_pack()]
    decided = {int(n) for text in sources for n in re.findall(r"\b(\d+)\b", text.split(",")[0])}
    _, _, rows = PAGE[PAGE.index("### What is not in it") :].partition("|---|---|\n")
    undecided: set[int] = set()
    for row in rows.strip().splitlines():
        _, items, reason, _ = row.split("|")
        assert len(reason.split()) >= 3, row
        undecided |= {int(n) for n in re.findall(r"(?:^|[;,] |and )\s*(\d+)(?=,| and)", items)}
    assert decided | undecided == set(range(1, 36))
    assert decided <= set(range(1, 35)), "floods are the engine's own"


def test_every_key_is_explained() -> None:
    keys = {
        field.alias or name
        for model in (Rule, Select, Suppression)
        for name, field in model.model_fields.items()
    } | KNOWN_OF_SITE.keys()
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE and f"{{{key}:" not in PAGE] == []


def test_the_example_is_in_order(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(# alerts/ours\.yaml.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "ours.yaml"
    path.write_text(examples[0], "utf-8")
    assert [placed.rule.name for placed in check_rules(path)] == ["hall-2-cdu-warm"]


def test_the_rules_that_the_site_file_example_switches_off_are_there() -> None:
    names = {placed.rule.name for placed in load_pack()}
    for page in ("alert-rules.md", "site-file.md"):
        text = (ROOT / "docs" / page).read_text("utf-8")
        for example in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
            if "switched_off" in example:
                assert set(yaml.safe_load(example)["alerts"]["switched_off"]) <= names
