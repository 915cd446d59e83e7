"""Which characters the fonts of the PDF have, and what is shown in the place of others.

The PDF is made with the fonts that come with the program and with no others, so that its bytes are the same on every
machine. These have Latin, Greek, Cyrillic, Hebrew and Arabic letters; a Chinese name, for one, is shown by its codes.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import orjson
import typst

FONTS = ("Libertinus Serif", "DejaVu Sans Mono")
"""The fonts that the template asks for."""

_NOBODY = "\U0010ffff"
"""A code point that is no character: what is drawn for it is what is drawn for all that is missing."""
_EACH = """
#set page(width: auto, height: auto)
#set text(font: json(bytes(sys.inputs.fonts)))
#for one in json(bytes(sys.inputs.characters)) [ #text(one) #linebreak() ]
"""
_DRAWN = re.compile(r"<g [^>]*>((?:<use [^>]*/>)+)</g>")
_GLYPH = re.compile(r'href="#(\w+)"')
_SURE = re.compile("[\x20-\u024f]*")
"""Latin letters and signs, which every font has."""


def drawable(view: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return a view in which codes stand for characters that can't be drawn, and how many texts that changed."""
    lacking = missing({one for text in _texts(view) if not _SURE.fullmatch(text) for one in text})
    if not lacking:
        return dict(view), 0
    runs = re.compile(f"[{re.escape(''.join(sorted(lacking)))}]+")
    changed = sum(runs.search(text) is not None for text in _texts(view))
    return {name: _replaced(value, runs) for name, value in view.items()}, changed


def missing(characters: Iterable[str]) -> frozenset[str]:
    """Return those of the characters that the fonts do not have."""
    asked = sorted(one for one in characters if unicodedata.category(one)[0] in "LMNPS" and not _SURE.fullmatch(one))
    return frozenset(one for one, known in zip(asked, _known("".join(asked)), strict=True) if not known)


@cache
def _known(characters: str) -> tuple[bool, ...]:
    glyphs = _glyphs([_NOBODY, *characters])
    if len(glyphs) != len(characters) + 1:  # one that draws nothing: ask for each by itself
        glyphs = [(_glyphs([one]) or [set[str]()])[0] for one in (_NOBODY, *characters)]
    return tuple(not one & glyphs[0] for one in glyphs[1:])


def _glyphs(characters: list[str]) -> list[set[str]]:
    """Return the names of the glyphs that are drawn for each character that draws any."""
    inputs = {"fonts": orjson.dumps(FONTS).decode(), "characters": orjson.dumps(characters).decode()}
    svg = typst.compile(_EACH.encode(), format="svg", sys_inputs=inputs, ignore_system_fonts=True)
    return [set(_GLYPH.findall(drawn)) for drawn in _DRAWN.findall(svg.decode())]


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(one)


def _replaced(value: Any, runs: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return runs.sub(lambda run: f"‹{' '.join(f'U+{ord(one):04X}' for one in run[0])}›", value)
    if isinstance(value, Mapping):
        return {name: _replaced(one, runs) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_replaced(one, runs) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value
