"""Read a page as a machine does."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """Collect the text, the tags, the attributes and the machine-readable numbers of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.numbers: set[float] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.text += " "
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "data":
            self.numbers.add(float(dict(attrs)["value"] or "nan"))

    def handle_data(self, data: str) -> None:
        self.text += data
