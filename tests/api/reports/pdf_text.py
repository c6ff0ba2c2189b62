"""Reads the text of a PDF that Chromium printed: enough of the format for that, and no more."""

from __future__ import annotations

import re
import zlib


def pages(pdf: bytes) -> list[str]:
    """The text of every page, in the order in which it was painted, without blanks."""
    objects = {int(m[1]): m[2] for m in re.finditer(rb"(\d+) 0 obj\b(.*?)\bendobj", pdf, re.DOTALL)}
    found = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b(?!s)", body)]
    return [_page(body, objects) for body in found]


def _page(page: bytes, objects: dict[int, bytes]) -> str:
    listed = re.search(rb"/Font <<(.*?)>>", page, re.DOTALL)
    fonts = {
        name: _Font(objects[int(number)], objects)
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", listed[1] if listed else b"")
    }
    content = re.search(rb"/Contents (\d+)", page)
    assert content is not None
    text, font = [], None
    for token in re.finditer(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]*)> ?Tj", _stream(objects[int(content[1])])):
        if token[1]:
            font = fonts[token[1]]
        elif font is not None:
            text.append(font.text(bytes.fromhex(token[2].decode())))
    return "".join("".join(text).split())


class _Font:
    """What a font's codes mean, from its ToUnicode table."""

    def __init__(self, body: bytes, objects: dict[int, bytes]) -> None:
        self.width = 2 if b"/Type0" in body else 1
        self.letters: dict[int, str] = {}
        table = re.search(rb"/ToUnicode (\d+)", body)
        told = _stream(objects[int(table[1])]) if table else b""
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", told, re.DOTALL):
            for code, letter in re.findall(rb"<(\w+)>\s*<(\w+)>", block):
                self.letters[int(code, 16)] = bytes.fromhex(letter.decode()).decode("utf-16-be")
        for block in re.findall(rb"beginbfrange(.*?)endbfrange", told, re.DOTALL):
            for first, last, letter in re.findall(rb"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
                for code in range(int(first, 16), int(last, 16) + 1):
                    self.letters[code] = chr(int(letter, 16) + code - int(first, 16))

    def text(self, codes: bytes) -> str:
        read = (int.from_bytes(codes[i : i + self.width], "big") for i in range(0, len(codes), self.width))
        return "".join(self.letters.get(code, "\ufffd") for code in read)


def _stream(body: bytes) -> bytes:
    found = re.search(rb"stream\r?\n(.*)endstream", body, re.DOTALL)
    assert found is not None
    return zlib.decompressobj().decompress(found[1]) if b"/FlateDecode" in body else found[1]
