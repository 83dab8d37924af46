"""Reads about conversations."""

import contextlib
import uuid
from dataclasses import dataclass

import orjson

from chatbot.events import Event, EventLog, LogUnavailable
from chatbot.models import Conversation, Message

SHOWN_MESSAGES = 200


@dataclass(frozen=True)
class CaughtUp:
    """What a reader has missed, in order; `seq` is the number up to which nothing is missing then.

    `live` is false when redis could not be asked: the finished messages are there, a running reply is not.
    """

    events: tuple[Event, ...]
    seq: int
    live: bool


def events_after(conversation_id: uuid.UUID, after: int, *, log: EventLog) -> CaughtUp:
    """Return everything after event number `after`: from the log where it still reaches back that far, else from the
    database (finished messages) and the log together. A reader who starts (`after` 0) gets finished messages whole.
    """
    recent: list[Event] = []
    last, live = 0, False
    with contextlib.suppress(*LogUnavailable):
        recent, last = log.read(conversation_id, after)
        live = True
    contiguous = recent[0].seq == after + 1 if recent else last == after
    if live and after and contiguous:
        return CaughtUp(tuple(recent), last, live)
    finished = _messages_after(conversation_id, after, up_to=last)
    for event in recent:
        if event.type == "message":  # announced a moment ago: its number may not be in the database yet
            finished.setdefault(event.data()["message"]["id"], event)
    running = [e for e in recent if e.type != "message" and e.data()["reply"] not in finished]
    events = sorted([*finished.values(), *running], key=lambda e: e.seq)
    return CaughtUp(tuple(events), max([after, last, *(e.seq for e in events)]), live)


def newest_seq(conversation_id: uuid.UUID, *, log: EventLog) -> int:
    """Return the highest event number that can have been shown so far."""
    with contextlib.suppress(*LogUnavailable):
        if last := log.read(conversation_id, 2**53)[1]:
            return last
    # Redis may have shown more than the database knows of, but never more than it was allowed to.
    return Conversation.objects.filter(pk=conversation_id).values_list("sequence_ceiling", flat=True).get()


def running_reply(conversation_id: uuid.UUID, *, log: EventLog) -> str:
    """Return what the bot has shown of a reply that is not finished, masked; "" when there is none."""
    shown: dict[str, str] = {}
    for event in log.read(conversation_id, 0)[0]:
        data = event.data()
        if event.type == "reply":
            shown[data["reply"]] = ("" if data["replace"] else shown.get(data["reply"], "")) + data["text"]
        elif event.type == "message":
            shown.pop(data["message"]["id"], None)
            if data["message"]["role"] == Message.Role.SYSTEM:
                shown.clear()  # the owner changed: what ran before is no reply any more
    return "".join(shown.values())


def _messages_after(conversation_id: uuid.UUID, after: int, *, up_to: int) -> dict[str, Event]:
    """Return the newest finished messages by id, up to that number if there is one: the log knew of none above it."""
    rows = Message.objects.filter(conversation_id=conversation_id, sequence__gt=after).order_by("-sequence")
    if up_to:
        rows = rows.filter(sequence__lte=up_to)
    return {str(message.id): _event(message) for message in rows[:SHOWN_MESSAGES]}


def _event(message: Message) -> Event:
    return Event(message.sequence or 0, "message", orjson.dumps(message.payload()))
