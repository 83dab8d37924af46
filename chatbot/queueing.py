"""Puts a turn into the broker's queue by its task's name, so that web need not import what the worker runs."""

import logging
import uuid

from celery import current_app
from kombu.exceptions import OperationalError

from chatbot.events import REDIS_AWAY

logger = logging.getLogger(__name__)

ANSWER_TURN = "chatbot.tasks.answer_turn"


def enqueue_turn(message_id: uuid.UUID) -> None:
    """Queue the answer to a message. When the broker cannot be reached, the sweeper finds the message."""
    try:
        current_app.send_task(ANSWER_TURN, (str(message_id),), retry=False)
    except (OperationalError, *REDIS_AWAY):
        logger.warning("the broker cannot be reached; the sweeper will queue this turn")
