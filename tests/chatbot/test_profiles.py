"""What a site says about its users goes through the same door as what they say."""

import pytest

from chatbot.models import Conversation
from chatbot.profiles import store_profile
from guardrails import vault
from guardrails.personal_data.pool import MaskingUnavailable
from tests.chatbot.conftest import MASTER_KEY
from tests.fakes import FakeFind


def store(chat: Conversation, *pairs: tuple[str, str], find: FakeFind | None = None) -> str:
    store_profile(chat, pairs, find=find or FakeFind(), master_key=MASTER_KEY)
    chat.refresh_from_db()
    return chat.profile


CASES = {
    "name and e-mail, whatever they look like": (
        [("name", "小白"), ("email", "no e-mail"), ("plan", "gold")],
        "name: <PERSON_1>\nemail: <EMAIL_1>\nplan: gold",
    ),
    "personal data in an attribute": ([("phone", "13800138000")], "phone: <CN_MOBILE_1>"),
    "personal data in an attribute's name": ([("13800138000", "yes")], "<CN_MOBILE_1>: yes"),
    "personal data within the name": ([("name", "Li 13800138000")], "name: <PERSON_1>"),
    "what looks like a placeholder": ([("plan", "<PERSON_1>")], "plan: ‹PERSON-1›"),
}


@pytest.mark.parametrize(("pairs", "expected"), CASES.values(), ids=CASES)
def test_a_profile_is_masked(pairs: list[tuple[str, str]], expected: str, chat: Conversation) -> None:
    assert store(chat, *pairs) == expected
    values = vault.values(chat.id, master_key=MASTER_KEY)
    assert all(value in str(pairs) for value in values.values())


def test_the_same_values_keep_their_placeholders(chat: Conversation) -> None:
    first = store(chat, ("name", "Li Wei"))
    assert store(chat, ("name", "Li Wei"), ("plan", "gold")) == first + "\nplan: gold"


def test_what_cannot_be_masked_is_not_stored(chat: Conversation) -> None:
    with pytest.raises(MaskingUnavailable):
        store(chat, ("plan", "gold"), find=FakeFind(failure=MaskingUnavailable("full")))
    chat.refresh_from_db()
    assert chat.profile == ""


def test_an_erased_conversation_leaves_no_profile(chat: Conversation) -> None:
    store(chat, ("name", "Li Wei"))
    assert vault.erase(chat.id) == 1
