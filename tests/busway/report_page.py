"""A report's page, read back."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """The page's tables by id: rows of cells, a number as its whole value."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.text: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self._rows: list[list[str]] = []
        self._value: str | None = None
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag == "table":
            self._rows = self.tables[given["id"] or ""] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"}:
            self._rows[-1].append("")
            self._in_cell = True
        elif tag == "data":
            self._value = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "data":
            self._value = None
        elif tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        said = self._value or data
        self.text.append(said)
        if self._in_cell:
            self._rows[-1][-1] += said

    def rows(self, table: str) -> list[dict[str, str]]:
        head, *body = self.tables[table]
        return [dict(zip(head, cells, strict=True)) for cells in body]
