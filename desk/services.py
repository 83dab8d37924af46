"""What web and shell ask of the desk: take documents in and have them made. Loads no model."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

from chatbot.events import REDIS_AWAY
from knowledge import importing
from knowledge.importing import Taken

logger = logging.getLogger(__name__)

WORK = "desk.tasks.work"


def upload(base: str, name: str, data: bytes, *, then: str = "", twice: bool = False, author: str = "") -> list[Taken]:
    """Take a file in, or all files of a .zip, and have them made by the desk worker. Raises Unreadable, OSError.

    `then` and `twice` as in importing.take_in.
    """
    taken = [
        importing.take_in(base, inner, content, then=then, twice=twice, author=author)
        for inner, content in importing.unpacked(name, data)
    ]
    enqueue_work()
    return taken


def enqueue_work() -> None:
    """Tell the desk worker that something waits. When the broker cannot be reached, the sweeper finds it."""
    try:
        current_app.send_task(WORK, retry=False)
    except (OperationalError, *REDIS_AWAY):
        logger.warning("the broker cannot be reached; the sweeper will find the document")
