"""Personal data in chunks: found, decided on, shown or masked. Pure values; knows nothing of how it is recognised.

A finding is a JSON row: {id, kind, chunk, field, start, end, entity, value, mask, key, shown, decision}. `start` and
`end` are code points of the chunk's field as it stands, be that the value or, where it is not shown, the `mask`; `key`
is the same for all spellings of a value. What nobody has decided on has the decision "".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Row = dict[str, Any]
StandIn = Callable[[str, str], str]


@dataclass(frozen=True)
class Found:
    """A personal datum: `text[start:end]`; `key` is the same for all spellings of the value, and does not tell it."""

    entity: str
    start: int
    end: int
    key: str


Publishes = Callable[[str, Sequence[Found]], Sequence[bool | None]]
"""(text, what was found in it) -> whether each is shown while nobody has decided; None: shown, not worth telling."""


class Examinable(Protocol):
    """A chunk as far as this goes; its texts are changed."""

    position: int
    heading: str
    question: str
    questions: list[str]
    text: str
    language: str


def examined(
    chunk: Examinable,
    find: Callable[[str], Sequence[Found]],
    publishes: Publishes,
    stand_in: StandIn,
    *,
    decisions: Mapping[str, str],
    before: Sequence[Row] = (),
) -> list[Row]:
    """Mask what is not to be shown in a chunk, and return the findings.

    A decision of `before` (findings of the chunk that this one came from) counts first, then `decisions` by key, else
    `publishes`. Where a stand-in of `before` still stands, in order, its value stays known.
    """
    fields = fields_of(chunk)
    whole = "\n".join(fields.values())
    found = list(find(whole))
    shown = publishes(whole, found)
    decided = {row["key"]: row["decision"] for row in before if row["decision"] and row["key"]}
    rows: list[Row] = []
    at = 0
    for name, text in fields.items():
        own: list[Row] = []
        for one, default in zip(found, shown, strict=True):
            if at <= one.start and one.end <= at + len(text):
                decision = decided.get(one.key) or decisions.get(one.key, "")
                if default is None and not decision:
                    continue
                own.append(
                    {
                        "kind": "personal_data",
                        "chunk": chunk.position,
                        "field": name,
                        "start": one.start - at,
                        "end": one.end - at,
                        "entity": one.entity,
                        "value": text[one.start - at : one.end - at],
                        "mask": stand_in(one.entity, chunk.language),
                        "key": one.key,
                        "decision": decision,
                        "shown": decision == "publish" or (not decision and bool(default)),
                    }
                )
        kept, own = _masked(text, own)
        own += _still_masked(kept, own, [row for row in before if row["field"] == name], chunk.position)
        _set(chunk, name, kept)
        rows += own
        at += len(text) + 1
    for row in rows:
        row["id"] = f"{row['chunk']}.{row['field']}.{row['start']}"
    return rows


def restore(chunk: Examinable, rows: Sequence[Row]) -> None:
    """Put the values of a chunk's findings back into its texts, so that it can be examined anew."""
    for name, text in fields_of(chunk).items():
        own = sorted((row for row in rows if row["field"] == name and row["value"]), key=lambda row: int(row["start"]))
        _set(chunk, name, _masked(text, [row | {"shown": True} for row in own])[0])


def fields_of(chunk: Examinable) -> dict[str, str]:
    """The chunk's texts by the names of their fields, as findings name them."""
    more = {f"questions.{number}": text for number, text in enumerate(chunk.questions)}
    return {"heading": chunk.heading, "question": chunk.question, **more, "text": chunk.text}


def _set(chunk: Examinable, name: str, text: str) -> None:
    if name.startswith("questions."):
        chunk.questions[int(name.split(".")[1])] = text
    else:
        setattr(chunk, name, text)


def _masked(text: str, rows: Sequence[Row]) -> tuple[str, list[Row]]:
    """The text with what is not shown replaced, and the rows at their new places; they are in order."""
    pieces: list[str] = []
    placed: list[Row] = []
    end, length = 0, 0
    for row in rows:
        before = text[end : row["start"]]
        said = row["value"] if row["shown"] else row["mask"]
        pieces += [before, said]
        length += len(before)
        placed.append(row | {"start": length, "end": length + len(said)})
        length += len(said)
        end = row["end"]
    return "".join(pieces) + text[end:], placed


def _still_masked(text: str, own: Sequence[Row], before: Sequence[Row], position: int) -> list[Row]:
    """Rows of stand-ins that an edit has left in the text, in order."""
    kept: list[Row] = []
    taken = [(row["start"], row["end"]) for row in own]
    ends: dict[str, int] = {}
    for row in before:
        if row["kind"] != "personal_data" or row["shown"]:
            continue
        at = text.find(row["mask"], ends.get(row["mask"], 0))
        while at >= 0 and any(start <= at < end for start, end in taken):
            at = text.find(row["mask"], at + len(row["mask"]))
        if at >= 0:
            ends[row["mask"]] = at + len(row["mask"])
            kept.append(row | {"chunk": position, "start": at, "end": ends[row["mask"]]})
    return kept


def carried(rows: Sequence[Row], chunks: Sequence[Examinable]) -> list[Row]:
    """The rows of chunks that an edit has replaced by `chunks`: each stand-in that is still there keeps its value, each
    decision its value's key.
    """
    left = sorted((row for row in rows if row["kind"] == "personal_data" and not row["shown"]), key=_order)
    found: list[Row] = []
    for chunk in chunks:
        for name, text in fields_of(chunk).items():
            for mask in {row["mask"] for row in left}:
                here = [row for row in left if row["mask"] == mask][: text.count(mask)]
                found += [row | {"chunk": chunk.position, "field": name} for row in here]
                left = [row for row in left if not any(row is one for one in here)]
        found += [row | {"chunk": chunk.position} for row in rows if row["shown"] and row["decision"]]
    return found


def _order(row: Row) -> tuple[int, int, int]:
    return row["chunk"], ("heading", "question", "text").index(row["field"].split(".")[0].rstrip("s")), row["start"]
