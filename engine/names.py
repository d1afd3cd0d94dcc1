"""How the name of a film is read: the words of it, the keys it is looked up by, and the shorter names it goes by.

Knows spelling (accents, numerals, articles, punctuation, subtitles). Knows no film, no catalogue and no popularity:
that is `engine.titles`, which uses these functions on the catalogue's names and on what people type alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

READING = 1
"""The way in which names are read here. A title index serves only those who read names as it was built: any change to
the keys, shorter names or trigrams of this file adds one."""

MAX_NAME = 300
"""Characters of a name that are read; the longest title of MovieLens has fewer."""

# First words that may be left out. Not here: words that mean something in another language (die, den, en, as, o, i).
_LEADING_ARTICLE = re.compile(
    r"\s*(?:(?:the|a|an|el|la|le|les|los|las|il|lo|gli|un|une|una|der|das|ein|eine)\s+|l['’´`]\s*)(?=\W*\w)",
    re.IGNORECASE,
)

_PART_WORDS = frozenset(
    ["part", "vol", "volume", "episode", "chapter", "pt", "teil", "parte", "partie", "no", "number"]
)
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_NUMBER_WORDS = {word: number for number, word in enumerate(_UNITS)} | _TENS
_SHORTENED = {"vs": "v", "versus": "v", "doctor": "dr", "mister": "mr", "missus": "mrs", "saint": "st"}
_ROMAN = re.compile(r"x{0,3}(?:ix|iv|v?i{0,3})")
_ROMAN_VALUE = {"i": 1, "v": 5, "x": 10}

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n", "⁄": " "}
)  # NFKD leaves these whole
_FRACTION = re.compile(r"(?<=\d)(?=[¼½¾⅓⅔⅛⅜⅝⅞])")
_SUPERSCRIPT = re.compile(r"(?<=[^\W\d_\]])(?=[²³¹⁴⁵⁶⁷⁸⁹])")
_INITIALS = re.compile(r"(?<!\w)(?:\w[.*·]){2,}(?:\w(?!\w))?")
_APOSTROPHES = re.compile(r"[’‘´ʼ′]")
_WORD = re.compile(r"[^\W_]+")
_SUBTITLE = re.compile(r"(?:,? or)?:\s+| [-–—] |,? or: ", re.IGNORECASE)
_COMMA = re.compile(r",\s+")


class Standing(IntEnum):
    """How much of a name a key is; lower is better."""

    NAME = 0
    """The name as it is written, but for case, accents, punctuation and spaces."""
    LOOSE = 1
    """The name but for its article and the way that its numbers are written."""
    PART = 2
    """The beginning of a name: “Borat”, “Terminator 2”, “Crouching Tiger”."""
    SUBTITLE = 3
    """The end of a name: “The Empire Strikes Back”, “Ragnarok”."""
    SHORT = 4
    """Other words in a row of a name: “Spotless Mind”. No key is built for them."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to say a name: its standing, the key it is found by, and its words with spaces for comparing.

    `spelled` is `spaced` with number words as they are: a slip in “sixteen” has to be seen in letters.
    """

    standing: Standing
    key: str
    spaced: str
    spelled: str


def words(name: str) -> list[str]:
    """The words of a name without case, accents and punctuation: “Pride & Préjudice” → ["pride", "and", "prejudice"].

    Initials are one word (“E.T.” → "et"), a raised number is a word of its own (“Alien³” → "alien", "3").
    """
    text = name[:MAX_NAME]
    if not text.isascii():
        text = _SUPERSCRIPT.sub(" ", _FRACTION.sub(" ", text))
        # One character may be eighteen after NFKD (“ﷺ”): the limit holds for what is read, too.
        text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)[:MAX_NAME]
        text = _APOSTROPHES.sub("", "".join(c for c in text if not unicodedata.combining(c)))
    text = text.casefold().replace("'", "").replace("`", "")
    if "." in text or "*" in text or "·" in text:
        text = _INITIALS.sub(lambda found: re.sub(r"[.*·]", "", found.group()) + " ", text)
    return _WORD.findall(text.replace("&", " and ").replace("+", " and "))


def _number(word: str, *, first: bool, spelled: bool) -> str | None:
    """A number word (unless those stay spelled) or (not as the first word) a Roman numeral in digits."""
    if word in _NUMBER_WORDS:
        return None if spelled else str(_NUMBER_WORDS[word])
    if first or not _ROMAN.fullmatch(word):
        return None
    values = [_ROMAN_VALUE[letter] for letter in word]
    return str(sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True)))


@lru_cache(maxsize=1 << 15)
def _stays(word: str) -> bool:
    """Whether a word is no number, and none that is often shortened."""
    return not (word in _NUMBER_WORDS or word in _SHORTENED or word.isdigit() or _ROMAN.fullmatch(word))


def _digits(read: list[str], *, spelled: bool) -> list[str]:
    """Numbers in digits, “part” and its kin before a number left out, words that are often shortened in short."""
    if all(map(_stays, read)):
        return list(read)
    out: list[str] = []
    for place, word in enumerate(read):
        plain = _SHORTENED.get(word, word)
        # “I” is a numeral only behind “part” or at the end: “I, Robot”, “The King and I”.
        numeral = plain != "i" or place == len(read) - 1 or (place > 0 and read[place - 1] in _PART_WORDS)
        number = _number(plain, first=place == 0, spelled=spelled) if numeral else None
        number = number or (plain if plain.isdigit() else None)
        if number is None:
            out.append(plain)
            continue
        if out and out[-1] in _PART_WORDS and len(out) > 1:
            out.pop()
        tens_before = place > 0 and read[place - 1] in _TENS
        if tens_before and word in _NUMBER_WORDS and 0 < int(number) < 10:
            number = str(int(out.pop()) + int(number))
        out.append(number)
    return out


def loose_words(name: str, *, spelled: bool = False) -> list[str]:
    """The words without a leading article, without any “the”, every number in digits: “Rocky IV” → ["rocky", "4"].

    With `spelled` number words stay words: “Sixteen Candles” → ["sixteen", "candles"].
    """
    article = _LEADING_ARTICLE.match(name)
    read = words(name[article.end() :] if article else name)
    return _digits([word for word in read if word != "the"] or read, spelled=spelled)


def loose_run(read: Sequence[str]) -> str:
    """The key of words (of `words`) but for “the” and the way that numbers are written, run together."""
    return "".join(_digits([word for word in read if word != "the"] or list(read), spelled=False))


def exact_key(name: str) -> str:
    """The key of a name as written: its words run together. A name of signs alone (“$”) is its own key."""
    return "".join(words(name)) or "".join(name[:MAX_NAME].split()).casefold()


def loose_key(name: str) -> str:
    """The key of a name but for articles and numerals."""
    return "".join(loose_words(name)) or exact_key(name)


def parts(name: str) -> list[tuple[Standing, str]]:
    """Shorter names that a name goes by: before and after a colon or dash, first and last of three, before a comma.

    “Star Wars: Episode V - The Empire Strikes Back” gives the beginnings “Star Wars”, “Star Wars Episode V” and “Star
    Wars The Empire Strikes Back”, and the subtitles “The Empire Strikes Back” and “Episode V The Empire Strikes Back”.
    """
    pieces = [piece.strip() for piece in _SUBTITLE.split(name[:MAX_NAME]) if piece.strip()]
    if not pieces:
        return []
    found: list[tuple[Standing, str]] = []
    for cut in range(1, len(pieces)):
        found.append((Standing.PART, " ".join(pieces[:cut])))
        found.append((Standing.SUBTITLE, " ".join(pieces[cut:])))
    if len(pieces) > 2 and any(map(_says_something, loose_words(pieces[-1]))):
        found.append((Standing.PART, f"{pieces[0]} {pieces[-1]}"))
    before_comma = _COMMA.split(pieces[0], maxsplit=1)[0]
    if before_comma != pieces[0] and len(loose_words(before_comma)) > 1:
        found.append((Standing.PART, before_comma))
    return [(standing, part) for standing, part in found if any(map(_says_something, loose_words(part)))]


def _says_something(word: str) -> bool:
    """“Part 2” names no film; “2001” does."""
    return word not in _PART_WORDS and (not word.isdigit() or len(word) > 2)


def forms(names: Sequence[str], *, with_parts: bool) -> tuple[Form, ...]:
    """Every form of a film's names (its title first), best standing first; no key is there twice.

    A title and an alternative in a row are a loose form: “Birdman: Or” and “The Unexpected Virtue of Ignorance”.
    """
    out: dict[str, Form] = {}
    loose: list[tuple[Standing, str]] = [(Standing.LOOSE, name) for name in names]
    loose += [(Standing.LOOSE, f"{names[0]} {other}") for other in names[1:]]
    if with_parts:
        loose += [part for name in names for part in parts(name)]
    for name in names:
        key = exact_key(name)
        out.setdefault(key, _form(Standing.NAME, key, name))
    for standing, name in loose:
        key = loose_key(name)
        if key not in out:
            out[key] = _form(standing, key, name)
    return tuple(out.values())


def _form(standing: Standing, key: str, name: str) -> Form:
    spaced = " ".join(loose_words(name))
    # Only a name with a number in it has anything to spell.
    spelled = " ".join(loose_words(name, spelled=True)) if any(map(str.isdigit, spaced)) else spaced
    return Form(standing, key, spaced, spelled)


def key_hash(key: str) -> int:
    """64 bits of a key, the same on every machine; the odds of a chance match among 150,000 keys are 1 in 10^14."""
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@lru_cache(maxsize=256)
def symbol(character: str) -> int:
    """A character's number in a trigram, 0 to 127: letters and digits have their own, other scripts share."""
    if character == " ":
        return 0
    if "a" <= character <= "z":
        return ord(character) - 96
    if "0" <= character <= "9":
        return ord(character) - 21
    return 37 + ord(character) % 91


def trigrams_of(spaced: str) -> set[int]:
    """The trigrams of a text as 21-bit numbers; a space at either end marks where a word begins or ends."""
    symbols = [symbol(c) for c in spaced]
    return {(a << 14) | (b << 7) | c for a, b, c in zip(symbols, symbols[1:], symbols[2:], strict=False)}
