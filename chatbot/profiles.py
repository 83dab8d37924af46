"""What a site says about its known users, masked into their conversation like everything that comes in."""

from chatbot.models import Conversation
from chatbot.services import FindPersonalData
from guardrails import placeholders, vault
from guardrails.personal_data.finding import Finding, without_overlaps
from guardrails.sealing import MasterKey

_ENTITIES = {"name": "PERSON", "email": "EMAIL"}


def store_profile(
    conversation: Conversation, pairs: tuple[tuple[str, str], ...], *, find: FindPersonalData, master_key: MasterKey
) -> None:
    """Keep `key: value` lines with the conversation; name and e-mail are personal data whatever they look like.

    Raises guardrails' MaskingUnavailable; then nothing was stored.
    """
    lines, certain, position = [], [], 0
    for key, value in pairs:
        start = f"{placeholders.escape_lookalikes(key)}: "
        line = start + placeholders.escape_lookalikes(value)
        if entity := _ENTITIES.get(key):
            certain.append(Finding(entity, position + len(start), position + len(line), 1.0))
        lines.append(line)
        position += len(line) + 1
    text = "\n".join(lines)
    found = [f for f in find(text) if all(f.end <= c.start or c.end <= f.start for c in certain)]
    masked = vault.mask(conversation.id, text, without_overlaps([*certain, *found]), master_key=master_key)
    if masked.text != conversation.profile:
        conversation.profile = masked.text
        conversation.save(update_fields=["profile"])
