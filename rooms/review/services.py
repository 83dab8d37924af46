"""What reviewers do besides deciding: letting through what was rejected or ran out of time."""

import uuid

from chatbot import reviewing
from chatbot.models import Conversation, Review
from console import audit, services
from console.services import Actor, NotFound, Tools


def reconsider(actor: Actor, review_id: uuid.UUID, *, tools: Tools) -> Review:
    """Let through after all what was rejected, or what the clock decided. Raises as `reviewing.reconsider` does."""
    review = Review.objects.filter(pk=review_id).first()
    if review is None:
        raise NotFound
    services.conversation_for(actor, "review", review.conversation_id)

    def write(conversation: Conversation) -> None:
        audit.record(
            actor.user,
            "review",
            site=conversation.site,
            target=("conversation", conversation.pk),
            details={"review": str(review_id), "decision": "reconsider"},
            address=actor.address,
        )

    try:
        return reviewing.reconsider(
            review_id=review_id,
            reviewer=actor.user,
            screen=tools.screen,
            log=tools.log,
            enqueue=tools.enqueue,
            also=write,
        )
    except Review.DoesNotExist:
        raise NotFound from None
