"""Puts a turn into the broker's queue by its task's name, so that web need not import what the worker runs."""

import logging
import uuid

from celery import current_app
from kombu.exceptions import OperationalError

from chatbot.events import REDIS_AWAY

logger = logging.getLogger(__name__)

ANSWER_TURN = "chatbot.tasks.answer_turn"
JUDGE_TEXT = "chatbot.tasks.judge_text"
SEND_TRANSCRIPT = "chatbot.tasks.send_transcript"
JUDGING = "judging"
"""The worker takes from this queue as often as from that of the turns, however many of those wait."""


def enqueue_turn(message_id: uuid.UUID) -> None:
    """Queue the answer to a message. When the broker cannot be reached, the sweeper finds the message."""
    try:
        current_app.send_task(ANSWER_TURN, (str(message_id),), retry=False)
    except (OperationalError, *REDIS_AWAY):
        logger.warning("the broker cannot be reached; the sweeper will queue this turn")


def queue_judging(text_id: str, *, seconds: float) -> None:
    """Queue a text to be judged within `seconds`. Raises what the broker's client raises."""
    current_app.send_task(JUDGE_TEXT, (text_id,), queue=JUDGING, retry=False, expires=seconds)


def queue_transcript(conversation_id: uuid.UUID, sealed: str, language: str) -> None:
    """Queue a letter to a sealed address. Raises what the broker's client raises."""
    current_app.send_task(SEND_TRANSCRIPT, (str(conversation_id), sealed, language), retry=False, expires=3600)
