"""Reads about conversations."""

import contextlib
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import Max, Min, Q

from chatbot.events import Event, EventLog, LogUnavailable
from chatbot.models import Conversation, Message

SHOWN_MESSAGES = 200
NO_CHANGE = "closed"
"""The reason of the one message of the system that changes nothing: people are away (handoff.py)."""


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
    database (finished messages) and the log together. What is finished comes whole, without the parts before.
    """
    recent: list[Event] = []
    last, live = 0, False
    with contextlib.suppress(LogUnavailable):
        recent, last = log.read(conversation_id, after)
        live = True
    contiguous = recent[0].seq == after + 1 if recent else last == after
    if live and after and contiguous:
        whole = {event.data()["message"]["id"] for event in recent if event.type == "message"}
        events = [e for e in recent if e.type == "message" or e.data()["reply"] not in whole]
        return CaughtUp(tuple(events), last, live)
    finished = _messages_after(conversation_id, after, up_to=last)
    for event in recent:
        if event.type == "message":  # announced a moment ago: its number may not be in the database yet
            finished.setdefault(event.data()["message"]["id"], event)
    running = [e for e in _whole_replies(recent) if e.data()["reply"] not in finished]
    events = sorted([*finished.values(), *running], key=lambda e: e.seq)
    if not live:
        events = _before_running_reply(conversation_id, after, events)
    return CaughtUp(tuple(events), max([after, last, *(e.seq for e in events)]), live)


def newest_seq(conversation_id: uuid.UUID, *, log: EventLog) -> int:
    """Return the highest event number that can have been shown so far."""
    with contextlib.suppress(LogUnavailable):
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
            if drops_running_reply(data["message"]):
                shown.clear()
    return "".join(shown.values())


def drops_running_reply(message: dict[str, Any]) -> bool:
    """Say whether what the bot was saying is no reply any more after this message: the owner changed, or the question.

    Every client does the same.
    """
    if message["role"] == Message.Role.SYSTEM:
        return bool(message["reason"] != NO_CHANGE)
    return bool(message["role"] == Message.Role.CUSTOMER and (message["edited"] or message["deleted"]))


def _whole_replies(events: list[Event]) -> list[Event]:
    """Return what tells of running replies, without parts whose beginning is missing: the whole reply comes again."""
    begun: set[str] = set()
    whole = []
    for event in events:
        if event.type == "message":
            continue
        data = event.data()
        if event.type == "reply" and data["part"] == 0:
            begun.add(data["reply"])
        if event.type != "reply" or data["reply"] in begun:
            whole.append(event)
    return whole


def _before_running_reply(conversation_id: uuid.UUID, after: int, events: list[Event]) -> list[Event]:
    """Return the events up to the first gap in which parts of a running reply may stand, which only redis knows.

    A reader who is led past them would not get them later.
    """
    announced = Message.objects.filter(conversation_id=conversation_id, sequence__isnull=False)
    being_answered = Message.OPEN & Q(conversation__owner=Conversation.Owner.BOT)
    answered = Q(replies__role=Message.Role.BOT, replies__sequence__isnull=True)  # and nobody was told yet
    asked = announced.filter(being_answered | answered)
    changed = Q(role=Message.Role.SYSTEM) & ~Q(reason=NO_CHANGE)
    dropped = announced.filter(changed | Q(role=Message.Role.CUSTOMER, version__gt=0))
    oldest = asked.aggregate(number=Min("sequence"))["number"]
    if oldest is None:
        return events
    begin = max(oldest, dropped.aggregate(number=Max("sequence"))["number"] or 0)
    last = after
    for count, event in enumerate(events):
        if event.seq > begin and event.seq != last + 1:
            return events[:count]
        last = event.seq
    return events


def _messages_after(conversation_id: uuid.UUID, after: int, *, up_to: int) -> dict[str, Event]:
    """Return the newest finished messages by id, up to that number if there is one: the log knew of none above it."""
    rows = Message.objects.filter(conversation_id=conversation_id, sequence__gt=after).order_by("-sequence")
    if up_to:
        rows = rows.filter(sequence__lte=up_to)
    return {str(message.id): _event(message) for message in rows[:SHOWN_MESSAGES]}


def _event(message: Message) -> Event:
    return Event(message.sequence or 0, "message", orjson.dumps(message.payload()))
