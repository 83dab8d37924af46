"""The console's Celery tasks."""

from celery import shared_task

from chatbot.wiring import event_log, presence
from console import assignment, wiring


@shared_task(name=wiring.ASSIGN)  # type: ignore[untyped-decorator]
def assign() -> None:
    """Offer waiting conversations to agents who are there."""
    for handoff in assignment.assign(lambda: presence().agents()):
        event_log().nudge(handoff.conversation_id, "offer")
