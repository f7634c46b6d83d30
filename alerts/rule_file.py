"""Files of rules: read, checked one by one and together, with every mistake named at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from alerts.rule import Rule
from alerts.rule_schema import known_keys
from facility.alert_settings import Alerts
from facility.errors import RuleFileError
from facility.mistakes import Mistake, did_you_mean
from facility.validation import explain, found_text
from facility.yaml_lines import YamlEntry, YamlMistake, parse_yaml

PACK = Path(__file__).with_name("pack")


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule, and where it stands."""

    rule: Rule
    origin: YamlEntry
    is_of_pack: bool = False


def load_rules(settings: Alerts) -> tuple[PlacedRule, ...]:
    """Read the rules of a site: the pack's and its own, which take the place of those.

    Rules that are switched off are among them; `alerts.selection` leaves them out.

    Raises:
        RuleFileError: with every mistake in every file, one a line.
    """
    pack = load_pack() if settings.pack == "default" else ()
    own, mistakes = _read_files(settings.rules, is_of_pack=False)
    replaced = {placed.rule.name for placed in own}
    rules = (*(placed for placed in pack if placed.rule.name not in replaced), *own)
    is_whole = not mistakes
    mistakes += _check_together(own, rules, names_are_known=is_whole)
    lines = [str(mistake) for mistake in sorted(mistakes)]
    if is_whole:
        lines += _unknown_names(settings.switched_off, rules)
    if lines:
        raise RuleFileError("\n".join(lines))
    return rules


def check_rules(path: Path) -> tuple[PlacedRule, ...]:
    """Read one file beside the pack, and give the rules in it.

    Raises:
        RuleFileError: with every mistake in it.
    """
    load_rules(Alerts(rules=(path,)))
    return tuple(_read_files((path,), is_of_pack=False)[0])


@cache
def load_pack() -> tuple[PlacedRule, ...]:
    """Read the rules that come with Busway.

    Raises:
        RuleFileError: a file of ours is wrong.
    """
    rules, mistakes = _read_files(sorted(PACK.glob("*.yaml")), is_of_pack=True)
    mistakes += _check_together(rules, rules, names_are_known=not mistakes)
    if mistakes:
        raise RuleFileError("\n".join(str(mistake) for mistake in sorted(mistakes)))
    return tuple(rules)


def _unknown_names(names: Sequence[str], rules: Sequence[PlacedRule]) -> Iterator[str]:
    known = {placed.rule.name for placed in rules}
    for name in names:
        if name not in known:
            yield f"alerts.switched_off: {name!r} is no rule; {did_you_mean(name, known)}"


def _read_files(
    paths: Sequence[Path], *, is_of_pack: bool
) -> tuple[list[PlacedRule], list[Mistake]]:
    rules: list[PlacedRule] = []
    mistakes: list[Mistake] = []
    for path in paths:
        for found in _read(path, is_of_pack=is_of_pack):
            if isinstance(found, Mistake):
                mistakes.append(found)
            else:
                rules.append(found)
    return rules, mistakes


def _read(path: Path, *, is_of_pack: bool) -> Iterator[PlacedRule | Mistake]:
    name = path.name if is_of_pack else str(path)
    try:
        file, mistakes = parse_yaml(path.read_text("utf-8-sig"), name)
    except OSError as error:
        yield Mistake(name, 1, "", f"cannot be read: {error.strerror}")
        return
    except UnicodeDecodeError:
        yield Mistake(name, 1, "", "is not UTF-8 text; save it as UTF-8")
        return
    except YamlMistake as error:
        yield error.mistake
        return
    yield from mistakes
    written = file.data.get("rules") if isinstance(file.data, dict) else None
    if not isinstance(written, list):
        found = found_text(file.data if written is None else written)
        yield file.mistake(
            ("rules",), f"expected a list of rules, found {found}; begin with rules:"
        )
        return
    for key in file.data:
        if key != "rules":
            hint = did_you_mean(str(key), ["rules"])
            yield file.mistake((key,), f"unknown key; {hint}")
    for index, data in enumerate(written):
        entry = YamlEntry(file, ("rules", index))
        try:
            yield PlacedRule(Rule.model_validate(data), entry, is_of_pack)
        except ValidationError as error:
            yield from _mistakes(error, data, entry)


def _mistakes(error: ValidationError, data: Any, entry: YamlEntry) -> Iterator[Mistake]:
    for path, text in explain(error, data, lambda path: known_keys(("rules", 0, *path))):
        yield entry.mistake(text, *path)


def _check_together(
    checked: Sequence[PlacedRule], rules: Sequence[PlacedRule], *, names_are_known: bool
) -> list[Mistake]:
    """Find names that stand twice, names of rules that are none, and circles."""
    mistakes: list[Mistake] = []
    first: dict[str, PlacedRule] = {}
    for placed in checked:
        if (other := first.setdefault(placed.rule.name, placed)) is not placed:
            text = f"{placed.rule.name!r} is already the name of {other.origin.place()}; rename one"
            mistakes.append(placed.origin.mistake(text, "name"))
    if not names_are_known:
        return mistakes
    known = {placed.rule.name for placed in rules}
    for placed in checked:
        for index, each in enumerate(placed.rule.suppress_when):
            if each.rule is not None and each.rule not in known:
                text = f"{each.rule!r} is no rule; {did_you_mean(each.rule, known)}"
                mistakes.append(placed.origin.mistake(text, "suppress_when", index, "rule"))
    return mistakes + list(_circles(rules))


def _circles(rules: Sequence[PlacedRule]) -> Iterator[Mistake]:
    """Find rules that explain each other in a circle on one device."""
    by_name = {placed.rule.name: placed for placed in rules}
    graph = {
        name: [each.rule for each in placed.rule.suppress_when if each.at == "device" and each.rule]
        for name, placed in by_name.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        text = f"rules suppress each other in a circle: {' -> '.join(circle)}"
        yield by_name[circle[0]].origin.mistake(text, "suppress_when")
