import uuid

import orjson
import pytest
from django.core.management import CommandError, call_command

from chatbot import services, users, wiring
from chatbot.events import EventLog
from chatbot.management.commands.erase_customer import BACKUPS
from chatbot.models import Conversation, Message, Site
from guardrails.models import VaultEntry, VaultKey
from guardrails.personal_data.finding import Finding
from guardrails.services import mask
from guardrails.vault import MasterKey

pytestmark = pytest.mark.django_db

MASTER = MasterKey(b"k" * 32)


@pytest.fixture(autouse=True)
def _own_log(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "event_log", lambda: log)


def started(site: Site, visitor: uuid.UUID, log: EventLog) -> Conversation:
    chat = services.start_conversation(site=site, visitor=visitor, language="en", log=log)
    masked = mask(chat.id, "a@b.cn", [Finding("EMAIL", 0, 6, 1.0)], master_key=MASTER)
    Message.objects.create(conversation=chat, role="customer", text=masked.text)
    return chat


def erase(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    call_command("erase_customer", *arguments)
    return [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("by", ["visitor", "conversation", "user"])
def test_a_customer_is_erased_with_all_conversations_and_nobody_else(
    by: str, site: Site, log: EventLog, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = users.visitor_id(site.pk, "u-17", secret=wiring.secret("users"))
    mine = [started(site, visitor, log) for _ in range(2)]
    other = started(site, uuid.uuid4(), log)
    arguments = {
        "visitor": ["--visitor", str(visitor)],
        "conversation": ["--conversation", str(mine[0].id)],
        "user": ["--user", "u-17", "--site", site.key],
    }[by]
    *lines, last = erase(capsys, *arguments)
    assert {line["conversation"] for line in lines} == {str(chat.id) for chat in mine}
    assert last == {"erased": 2, "failed": 0, "backups": BACKUPS}
    assert list(Conversation.objects.values_list("pk", flat=True)) == [other.pk]
    for model in (VaultKey, VaultEntry):
        assert {row.conversation_id for row in model.objects.all()} == {other.pk}
    assert Message.objects.get().conversation_id == other.pk


def test_nobody_found_is_said_so(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert erase(capsys, "--visitor", str(uuid.uuid4()))[-1]["erased"] == 0


def test_a_user_needs_a_site_that_exists() -> None:
    with pytest.raises(CommandError, match="--site"):
        call_command("erase_customer", "--user", "u-17", "--site", "nowhere")


def test_while_redis_is_away_it_fails_and_can_be_called_again(
    site: Site, log: EventLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from chatbot.events import LogUnavailable

    chat = started(site, uuid.uuid4(), log)

    def away(*_: object) -> None:
        raise LogUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(log, "bury", away)
        with pytest.raises(SystemExit):
            call_command("erase_customer", "--conversation", str(chat.id))
    lines = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "redis" in str(lines[0]["error"])
    assert lines[-1]["failed"] == 1
    assert erase(capsys, "--conversation", str(chat.id))[-1]["erased"] == 1
    assert not VaultEntry.objects.exists()
