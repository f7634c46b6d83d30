"""The pack as the table of docs/alert-rules.md; run as a script, it prints it."""

from __future__ import annotations

from alerts.condition import (
    Above,
    Below,
    Bits,
    Codes,
    Condition,
    Count,
    Frozen,
    NoData,
    PathSum,
    Rate,
    Reference,
    Spread,
    Sql,
)
from alerts.rule import Rule
from alerts.rule_file import load_pack

HEAD = "| rule | fires when | clears at | delays, s | priority | after |\n|---|---|---|---|---|---|"


def table() -> str:
    return "\n".join([HEAD, *(_row(placed.rule) for placed in load_pack())])


def _row(rule: Rule) -> str:
    delays = f"{rule.on_delay_seconds:g} / {rule.off_delay_seconds:g}"
    if rule.latch:
        delays += ", latch"
    fires, clears = _said(rule.condition)
    quantity = f"`{rule.select.quantity}` " if rule.select.quantity else ""
    cells = (f"`{rule.name}`", quantity + fires, clears, delays, str(rule.priority), rule.source)
    return f"| {' | '.join(cells)} |"


def _said(condition: Condition) -> tuple[str, str]:  # noqa: PLR0911, C901 - a case each kind
    match condition:
        case Above(fire=fire, clear=clear):
            return f"above {_threshold(fire, condition)}", f"{clear:g}"
        case Below(fire=fire, clear=clear):
            return f"below {_threshold(fire, condition)}", f"{clear:g}"
        case Rate(per_seconds=window, above=float(fire), clear=clear):
            return f"rises by more than {_threshold(fire, condition)} in {window:g} s", f"{clear:g}"
        case Rate(per_seconds=window, below=float(fire), clear=clear):
            return (
                f"changes by less than {_threshold(fire, condition)} in {window:g} s",
                f"{clear:g}",
            )
        case Spread(across=across, measure=measure, above=fire, clear=clear):
            return f"differs across {across} by more than {fire:g} ({measure})", f"{clear:g}"
        case PathSum(by=by, above=fire, clear=clear):
            return f"summed by {by} is above {_threshold(fire, condition)}", f"{clear:g}"
        case Codes(any_of=codes):
            return f"is {_either(codes)}", "any other"
        case Bits(any_of=bits):
            return f"has bit {_either(bits)}", "none of them"
        case Frozen(for_seconds=seconds):
            return f"has not changed for {seconds:g} s", "any change"
        case Count(events=events, within_seconds=window, by=by):
            return f"{events} times within {window:g} s, by {by}", "none"
        case NoData():
            return "nothing comes for 3 intervals", "a good reading"
        case Sql(every_seconds=every, above=fire, clear=clear):
            return f"a query every {every:g} s gives more than {fire:g}", f"{clear:g}"


def _either(numbers: tuple[int, ...]) -> str:
    return " or ".join(str(number) for number in numbers)


def _threshold(number: float, reference: Reference) -> str:
    factors = [f"`{name}`" for name in reference.of]
    terms = [f"`{name}`" for name in reference.plus]
    return " + ".join([" x ".join([f"{number:g}", *factors]), *terms])


if __name__ == "__main__":
    print(table())  # noqa: T201 - what it is run for
