"""What pydantic found wrong, in our words: what was found, what would be right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from pydantic import ValidationError

from facility.mistakes import Step, did_you_mean, near

KnownKeys = Callable[[Sequence[Step]], Iterable[str]]

SECRET_KEYS = frozenset(
    {
        "community",
        "auth_key",
        "privacy_key",
        "password",
        "bearer_token",
        "access_key",
        "secret_key",
        "signing_key",
        "routing_key",
        "webhook_url",
    }
)
"""What stands under these is never printed."""

_EXPECTED = {
    "int_type": "int",
    "int_parsing": "int",
    "int_from_float": "int",
    "float_type": "number",
    "float_parsing": "number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "path_type": "a path",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "string_too_short": "text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "finite_number": "a finite number",
}
_PATTERNS = {
    r"^[a-z0-9]+([./_-][a-z0-9]+)*$": "a lower-case path such as hall-1/row-03/rack-12/pdu-a",
    r"^[a-z][a-z0-9_]*$": "a lower-case name such as rack",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "a lower-case name such as schneider-pm5000",
    r"^1(\.\d+)+$": "an OID such as 1.3.6.1.2.1.33.1.2.7.0",
    r"^[A-Za-z0-9-]+$": "a model such as GB200",
    r"^[A-Za-z0-9-]+/[a-z0-9]+$": "a model and its arithmetic such as GB200/fp8",
    r"^[A-Za-z0-9._:-]+$": "a GPU's UUID as nvidia-smi -L prints it",
    r"^https?://[^\s/]+": "a URL such as https://alerts.example/hook",
    r"^[^\s@]+@[^\s@]+$": "an address such as ops@site.example",
    r"^[a-z+]+://": "a URL such as modbus://10.1.2.3:502?unit=7 or snmp://10.1.2.4",
}


def found_text(value: object) -> str:
    """A value as it is quoted in a mistake; long ones are cut, structures only named."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list, tuple)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - one line


def explain(
    error: ValidationError, data: object, known_keys: KnownKeys = lambda _: ()
) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Give (path, sentence) of every mistake, one a path.

    Args:
        error: what pydantic raised on `data`.
        data: what was validated; tells the steps of a path from pydantic's names of alternatives.
        known_keys: which keys the mapping at a path may have.
    """
    seen: set[tuple[Step, ...]] = set()
    for detail in error.errors(include_url=False):
        path = _path_in(data, detail["loc"])
        if detail["type"] == "missing":
            path = (*path, detail["loc"][-1])
        if path not in seen and not _follows(path, seen, detail["type"]):
            seen.add(path)
            yield path, _sentence(detail, path, known_keys)


def _follows(path: tuple[Step, ...], seen: set[tuple[Step, ...]], kind: str) -> bool:
    """Tell whether an empty list is only so because its items were wrong."""
    return kind == "too_short" and any(earlier[: len(path)] == path for earlier in seen)


def _path_in(data: object, location: Sequence[Step]) -> tuple[Step, ...]:
    path: list[Step] = []
    for step in location:
        try:
            data = cast("Any", data)[step]
        except (KeyError, IndexError, TypeError):
            continue  # pydantic's name of an alternative, or a key that the file lacks
        path.append(step)
    return tuple(path)


def _sentence(detail: Any, path: tuple[Step, ...], known_keys: KnownKeys) -> str:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    match kind:
        case "missing":
            text = "is missing; add it"
        case "extra_forbidden":
            text = f"unknown key; {did_you_mean(str(path[-1]), known_keys(path[:-1]))}"
        case _ if not SECRET_KEYS.isdisjoint(path):
            text = "expected {env: NAME} or {file: PATH}; a secret itself never stands in this file"
        case "value_error":
            text = str(context["error"])
        case "enum" | "literal_error" | "union_tag_invalid":
            expected = context.get("expected") or context["expected_tags"]
            text = _one_of(expected, context.get("tag", value))
        case "string_pattern_mismatch":
            pattern = _PATTERNS.get(context["pattern"], f"text like {context['pattern']}")
            text = f"expected {pattern}, found {found_text(value)}"
        case "too_short":
            text = "expected at least one entry, found none"
        case "string_type":
            text = f"expected text, found {found_text(value)}{_quote_hint(value)}"
        case _ if kind in _EXPECTED:
            text = f"expected {_EXPECTED[kind].format(**context)}, found {found_text(value)}"
        case _:
            text = f"{detail['msg']}, found {found_text(value)}"
    return text


def _one_of(expected: str, found: object) -> str:
    names = [name.strip("'") for name in expected.replace(" or ", ", ").split(", ")]
    if hint := near(str(found), names):
        return f"found {found_text(found)}{hint}"
    return f"expected one of {', '.join(names)}, found {found_text(found)}"


def _quote_hint(found: object) -> str:
    if isinstance(found, dict):
        return "; text that starts with { must stand in quotes"
    return "; put it in quotes" if isinstance(found, (int, float)) else ""
