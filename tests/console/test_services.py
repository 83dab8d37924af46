"""What staff do at the same time, on whichever database the tests run."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection

from chatbot.events import EventLog
from chatbot.models import Conversation
from console import services
from console.models import AuditEntry, Note
from console.services import Actor, Tools
from guardrails.screening import screen
from tests.console.conftest import MASTER_KEY
from tests.fakes import FakeFind, FakeQueue, lexicon
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_note_and_a_reply_at_once_wait_for_each_other(
    chat: Conversation, mei: User, tom: User, log: EventLog, queue: FakeQueue
) -> None:
    """Each holds the conversation before anything else: on PostgreSQL one that held it last met the other halfway."""
    tools = Tools(log, lambda: MASTER_KEY, FakeFind(), lambda text: screen(text, "in", lexicon=lexicon()), queue)
    barrier, rounds = Barrier(2, timeout=PATIENCE), 12
    services.take(Actor(mei), chat.pk, tools=tools)

    def notes() -> None:
        for number in range(rounds):
            barrier.wait()
            services.note(
                Actor(tom), chat.pk, client_id=uuid.uuid4(), text=f"call {13_800_138_000 + number}", tools=tools
            )

    def replies() -> None:
        for number in range(rounds):
            barrier.wait()
            text = f"we call {13_900_139_000 + number}"
            services.reply(Actor(mei), chat.pk, client_id=uuid.uuid4(), text=text, confirmed=False, tools=tools)

    def run(acts: Callable[[], None]) -> None:
        try:
            acts()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(run, acts) for acts in (notes, replies)]:
            done.result()
    assert Note.objects.count() == rounds
    assert AuditEntry.objects.filter(action__in=["note", "reply"]).count() == 2 * rounds
