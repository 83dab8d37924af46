"""Placeholders such as `<CN_MOBILE_1>`: their spelling, how they are restored, how look-alikes are disarmed.

Knows nothing of where the values are kept, and never builds a pattern from data.
"""

import re
import unicodedata
from collections.abc import Mapping

from guardrails.personal_data.finding import ENTITIES

PLACEHOLDER = re.compile(r"<[A-Z]+(?:_[A-Z]+)*_[1-9][0-9]*>")

_NAME = r"[A-Za-z]{2,20}(?:_[A-Za-z]{1,20}){0,3}_[0-9]{1,9}"
_LINK = (
    # A browser finds an address wherever it begins, so nothing is asked of what stands before it.
    r"(?:(?i:https?)://|(?<![A-Za-z0-9.-])(?:[A-Za-z][A-Za-z0-9+.-]{0,30}://|[Ww]{3}\.|(?i:mailto|javascript):"
    r"|(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?::[0-9]{1,5})?[/?#]))"
    r"[^ \t\n\r\f\v\u00a0\u2028\u2029\u3000，。；！？、（）【】《》「」“”]*"
)
_RESTORABLE = re.compile(
    rf"(?P<link>{_LINK})|[<＜﹤][ ]{{0,2}}(?P<bracketed>{_NAME})[ ]{{0,2}}[>＞﹥]"
    r"|(?<![A-Za-z0-9_])(?P<bare>[A-Z]{2,20}(?:_[A-Z]{1,20}){0,3}_[0-9]{1,9})(?![A-Za-z0-9_])"
)
_LOOKALIKE = re.compile(
    rf"<\s*(?P<bracketed>[a-z]+(?:_[a-z]+)*_[0-9]+)\s*>|(?P<bare>(?:{'|'.join(ENTITIES)})_[0-9]+)", re.IGNORECASE
)


def name(entity: str, number: int) -> str:
    """Return the placeholder of an entity's `number`-th value (from 1) in a conversation."""
    return f"<{entity}_{number}>"


def escape_lookalikes(text: str) -> str:
    """Return `text` with everything that could pass for a placeholder respelled, `<PHONE_1>` as `‹PHONE-1›`.

    Every spelling counts that becomes one when width, case or invisible characters are normalised. Text without such
    a thing is returned as it is.
    """
    if "_" not in unicodedata.normalize("NFKC", text):
        return text
    plain, offsets = _plain(text)
    pieces, end = [], 0
    for match in _LOOKALIKE.finditer(plain):
        respelled = (match["bracketed"] or match["bare"]).replace("_", "-")
        pieces += [text[end : offsets[match.start()]], f"‹{respelled}›" if match["bracketed"] else respelled]
        end = offsets[match.end() - 1] + 1
    return "".join(pieces) + text[end:]


def restore(text: str, values: Mapping[str, str], before: str = "") -> str:
    """Return `text` with each placeholder that is a key of `values` replaced by its value, in one pass.

    A damaged spelling counts too (`<phone_1>`, `< PHONE_1 >`, `＜PHONE_1＞`, bare `PHONE_1`). Inside a link nothing is
    restored: a link would carry the value away. `before` is the (masked) text shown right before, so that a link
    which began there is known.
    """

    def value(match: re.Match[str]) -> str:
        spelled = match["bracketed"] or match["bare"]
        return values.get(f"<{spelled.upper()}>", match[0]) if spelled else match[0]

    whole = before + text
    at, pieces = len(before), []
    for match in _RESTORABLE.finditer(whole):
        if match.end() > at:
            pieces += [whole[at : match.start()], value(match) if match.start() >= at else whole[at : match.end()]]
            at = match.end()
    return "".join(pieces) + whole[at:]


def _plain(text: str) -> tuple[str, list[int]]:
    """Return the text normalised character by character, without invisible ones, and where each character came from."""
    characters, offsets = [], []
    for at, character in enumerate(text):
        if unicodedata.category(character) != "Cf":
            for one in unicodedata.normalize("NFKC", character):
                characters.append(one)
                offsets.append(at)
    return "".join(characters), offsets
