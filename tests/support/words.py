"""The words of the screens: what the source asks to be translated, and what the catalogues say of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

SOURCE = Path(__file__).resolve().parents[2] / "src" / "sheka"
KEYWORDS = dict.fromkeys(("gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "_"))
KEYWORDS |= dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2))
KEYWORDS |= {"npgettext": ((1, "c"), 2, 3)}
CONTEXTS = {"_of_card": "card", "_of_exchange": "exchange"}
"""Helpers of the source that put a context to a word."""


@dataclass(frozen=True)
class Word:
    """Something that a template or module asks to be translated."""

    path: Path
    line: int
    context: str | None
    text: str
    plural: str | None = None

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.text

    def __str__(self) -> str:
        return f"{self.path.relative_to(SOURCE)}:{self.line}: {self.text!r}"


def words_of(path: Path) -> Iterator[Word]:
    """Every word of a template or module, in order."""
    text = path.read_text("utf-8")
    if path.suffix == ".html":
        text = templatize(text)
    keywords = KEYWORDS | dict.fromkeys(CONTEXTS)
    for line, function, found, _comments in extract_python(io.BytesIO(text.encode()), keywords, (), {}):
        parts = [part for part in ([found] if isinstance(found, str) else found) if isinstance(part, str)]
        if not parts:
            continue  # the helper itself passes a variable on
        context = CONTEXTS.get(function)
        if function in ("pgettext", "pgettext_lazy", "npgettext"):
            context, *parts = parts
        if parts:
            yield Word(path, line, context, parts[0], parts[1] if function.startswith("n") else None)


def sources() -> list[Path]:
    """Every template and module that may hold words."""
    kept = (path for suffix in ("*.html", "*.py") for path in SOURCE.rglob(suffix))
    return sorted(path for path in kept if not {"node_modules", "migrations"} & set(path.parts))


def catalogues() -> dict[Path, list[Message]]:
    """The entries of every Chinese catalogue."""
    found: dict[Path, list[Message]] = {}
    for path in sorted(SOURCE.rglob("locale/zh_Hans/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            found[path] = [message for message in read_po(file, locale="zh_Hans") if message.id]
    return found


def key_of(message: Message) -> tuple[str | None, str]:
    """Context and msgid (the singular) of an entry."""
    return message.context, message.id if isinstance(message.id, str) else message.id[0]
