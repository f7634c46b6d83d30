"""Tables in HTML; a number is shown rounded and carried whole, as the value of a data element."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

Row = Mapping[str, Any]
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, what of a row stands under it, and how a number is written.

    Where each row says how, the column is of numbers, though none may be known.
    """

    heading: str
    value: str | Callable[[Row], Any]
    form: str | Callable[[Row], str] = ",.0f"
    is_wide: bool = False
    """A text that takes what room there is."""


def table(columns: Sequence[Column], rows: Iterable[Row], *, name: str) -> str:
    """A table of rows; `name` is its id on the page."""
    listed = list(rows)
    cells = [[_value(column, row) for column in columns] for row in listed]
    looks = [_look(column, [line[i] for line in cells]) for i, column in enumerate(columns)]
    heads = "".join(
        f'<th scope="col"{look}>{escape(column.heading)}</th>'
        for column, look in zip(columns, looks, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{look}>{_written(value, _form(column, row))}</td>"
            for column, look, value in zip(columns, looks, line, strict=True)
        )
        + "</tr>"
        for row, line in zip(listed, cells, strict=True)
    )
    return f'<table id="{name}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def number(value: float | None, form: str) -> str:
    """A number, rounded as `form` says, with its whole value."""
    return NOTHING if value is None else f'<data value="{value!r}">{value:{form}}</data>'


def _value(column: Column, row: Row) -> Any:
    return row[column.value] if isinstance(column.value, str) else column.value(row)


def _form(column: Column, row: Row) -> str:
    return column.form if isinstance(column.form, str) else column.form(row)


def _look(column: Column, values: Iterable[Any]) -> str:
    if not isinstance(column.form, str) or any(_is_number(value) for value in values):
        return ' class="number"'
    return ' class="wide"' if column.is_wide else ""


def _written(value: Any, form: str) -> str:
    if _is_number(value):
        return number(value, form)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(", ".join(map(str, value)) if isinstance(value, list) else str(value or NOTHING))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
