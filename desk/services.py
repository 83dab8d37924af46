"""What web and shell ask of the desk: take documents in and have them made. Loads no model."""

import logging
from collections.abc import Callable, Sequence

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from chatbot.events import REDIS_AWAY
from chatbot.models import Site
from chatbot.services import without_contacts
from guardrails.personal_data.finding import Finding
from guardrails.placeholders import PLACEHOLDER
from knowledge import examining, importing, releases
from knowledge.golden import Golden
from knowledge.importing import Taken

logger = logging.getLogger(__name__)

WORK = "desk.tasks.work"
EXAMINE = "desk.tasks.examine"

Find = Callable[[str], Sequence[Finding]]
"""Personal data in a text."""


Also = Callable[[Taken], None]
"""What is to happen together with a file being taken in, such as its entry in the audit log."""


class PersonalData(Exception):
    """A question that is to be kept holds somebody's personal data."""


def upload(
    base: str,
    name: str,
    data: bytes,
    *,
    then: str = "",
    twice: bool = False,
    author: str = "",
    also: Also | None = None,
) -> list[Taken]:
    """Take a file in, or all files of a .zip, and have them made by the desk worker. Raises Unreadable, OSError.

    `then` and `twice` as in importing.take_in; `also` is called within the transaction of each file.
    """
    taken = []
    for inner, content in importing.unpacked(name, data):
        with transaction.atomic():
            one = importing.take_in(base, inner, content, then=then, twice=twice, author=author)
            if also is not None:
                also(one)
        taken.append(one)
    enqueue_work()
    return taken


def enqueue_work() -> None:
    """Tell the desk worker that something waits, as soon as it is committed. When the broker cannot be reached, the
    sweeper finds it.
    """
    transaction.on_commit(_tell)


def _tell() -> None:
    try:
        current_app.send_task(WORK, retry=False)
    except (OperationalError, *REDIS_AWAY):
        logger.warning("the broker cannot be reached; the sweeper will find the document")


def enqueue_examination(base: str, *, published: bool = False) -> bool:
    """Have the desk worker put the golden questions to the draft, or to what is published; False without a broker."""
    try:
        current_app.send_task(EXAMINE, (base, published), retry=False)
    except (OperationalError, *REDIS_AWAY):
        logger.warning("the broker cannot be reached; the golden questions were not put")
        return False
    return True


def contacts_of(base: str) -> list[str]:
    """What looks like personal data and is the shop's own: what the base's sites name, what its documents publish."""
    sites = Site.objects.filter(knowledge_base=base).values_list("contacts", flat=True)
    return [*(one for site in sites for one in site), *releases.contacts(base)]


def keep_golden(base: str, golden: Golden, *, find: Find, origin: str = "typed", author: str = "") -> bool:
    """Keep a golden question: see examining.keep_question. Raises PersonalData where `find` finds any in the question
    that is not the shop's own contact, or a customer's placeholder stands anywhere, and what `find` raises.
    """
    found = without_contacts(golden.question, find(golden.question), contacts_of(base))
    if found or any(PLACEHOLDER.search(text) for text in (golden.question, *golden.facts)):
        raise PersonalData("the question holds personal data: write it without")
    return examining.keep_question(base, golden, origin=origin, author=author)
