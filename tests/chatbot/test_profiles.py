"""What a site says about its users goes through the same door as what they say."""

import pytest

from chatbot.appearance import PreChatField, Texts
from chatbot.models import Conversation
from chatbot.profiles import FormIncomplete, is_vouched, mailbox, store_form, store_profile
from chatbot.services import ConversationGone
from chatbot.users import visitor_id
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


NAME = PreChatField(name="name", label=Texts(en="Name"), required=True)
EMAIL = PreChatField(name="mail", label=Texts(en="E-mail"), kind="email")
PHONE = PreChatField(name="tel", label=Texts(en="Phone"), kind="phone")
TOPIC = PreChatField(name="topic", label=Texts(en="Topic"), kind="choice", choices=["order", "return"])


def fill(chat: Conversation, **values: str) -> str:
    store_form(chat, values, [NAME, EMAIL, PHONE, TOPIC], find=FakeFind(), master_key=MASTER_KEY)
    chat.refresh_from_db()
    return chat.profile


def test_a_form_is_masked_by_what_was_asked_and_kept_once(chat: Conversation) -> None:
    given = {"name": "小白", "mail": "a@b.example", "tel": "+44 20 7946 0000", "topic": "order", "other": "x\ny"}
    kept = "name: <PERSON_1>\nmail: <EMAIL_1>\ntel: <INTL_PHONE_1>\ntopic: order"
    assert fill(chat, **given) == kept
    assert fill(chat, name="Somebody else") == kept
    values = vault.values(chat.id, master_key=MASTER_KEY).values()
    assert set(values) == {"小白", "a@b.example", "+44 20 7946 0000"}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"name": " "},
        {"name": "Li", "mail": "no address"},
        {"name": "Li", "tel": "call me"},
        {"name": "Li", "topic": "weather"},
    ],
)
def test_a_form_with_something_missing_is_not_kept(values: dict[str, str], chat: Conversation) -> None:
    with pytest.raises(FormIncomplete):
        fill(chat, **values)
    assert chat.profile == ""


def test_what_customers_say_of_themselves_is_never_taken_for_the_sites_word(chat: Conversation) -> None:
    Conversation.objects.filter(pk=chat.pk).update(visitor=visitor_id(1, "li", secret=b"s"))
    chat.refresh_from_db()
    assert fill(chat, name="小白", topic="order") == "customer.name: <PERSON_1>\ncustomer.topic: order"
    assert not is_vouched(chat)
    store(chat, ("plan", "gold"))
    assert is_vouched(chat)


def test_a_choice_is_found_whatever_its_spaces(chat: Conversation) -> None:
    asked = [PreChatField(name="topic", label=Texts(en="Topic"), kind="choice", choices=["my  order", "return"])]
    store_form(chat, {"topic": "my  order"}, asked, find=FakeFind(), master_key=MASTER_KEY)
    assert chat.profile == "topic: my order"
    assert not is_vouched(chat)


@pytest.mark.parametrize("written", ["Li@Post.example", "li+a@post.example", '"l\\i"@post.example', "li@ｐost.example"])
def test_however_an_address_is_written_it_counts_as_one(written: str) -> None:
    assert mailbox(written) == "li@post.example"


def test_an_erased_conversation_takes_no_form(chat: Conversation) -> None:
    Conversation.objects.all().delete()
    with pytest.raises(ConversationGone):
        fill(chat, name="Li")
    assert vault.values(chat.id, master_key=MASTER_KEY) == {}
