"""Keeping customers' files: sealed, bounded, sent once, erased with their conversation."""

import os
import stat
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from attachments import services, storage
from attachments.models import Attachment
from attachments.refusals import FileRefused
from attachments.rules import Rules
from attachments.scanning import ScannerUnavailable
from attachments.services import NotSendable, Owner
from guardrails import vault
from guardrails.models import VaultEntry
from guardrails.personal_data.pool import MaskingUnavailable
from guardrails.sealing import MasterKey
from tests.attachments.conftest import Uploads
from tests.attachments.samples import picture
from tests.chatbot.conftest import MASTER_KEY
from tests.fakes import FakeFind

TEXT = "order 17, 你好 ".encode() * 10_000
HOUR = timedelta(hours=1)


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def read(attachment: Attachment) -> bytes | None:
    found = services.read(attachment.id, attachment.conversation_id, master_key=MASTER_KEY)
    return found and found[1]


def make_old(root: Path, hours: float = 2) -> None:
    """Let everything have lain there for so long."""
    Attachment.objects.update(created=timezone.now() - timedelta(hours=hours))
    past = time.time() - hours * 3600
    for path in [*root.rglob("*")]:
        os.utime(path, (past, past))


# --- in


def test_a_file_is_sealed_and_opens_again(upload: Uploads, root: Path) -> None:
    attachment = upload.sent("note.txt", TEXT)
    [path] = files(root)
    assert b"order 17" not in path.read_bytes()
    assert path == root / attachment.conversation_id.hex / attachment.id.hex
    assert read(attachment) == TEXT
    assert (attachment.media_type, attachment.size) == ("text/plain", len(TEXT))


def test_nobody_else_on_the_machine_can_read_it(upload: Uploads, root: Path) -> None:
    before = os.umask(0)
    try:
        upload()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(root)} == {0o600}
    assert {stat.S_IMODE(p.stat().st_mode) for p in [root, *root.iterdir()]} == {0o700}


def test_personal_data_in_a_name_is_masked_as_in_a_message(upload: Uploads) -> None:
    attachment = upload("../13800138000 <CN_MOBILE_1>.png")
    assert attachment.name == "<CN_MOBILE_1> _CN-MOBILE-1_.png"  # what only looks like a placeholder is none
    assert vault.values(upload.owner.conversation, master_key=MASTER_KEY) == {"<CN_MOBILE_1>": "13800138000"}


def test_without_masking_nothing_is_kept(upload: Uploads, root: Path) -> None:
    with pytest.raises(MaskingUnavailable):
        upload(find=FakeFind(MaskingUnavailable("full")))
    assert not Attachment.objects.exists()
    assert not files(root)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Rules(most_bytes=10), "file_too_big"),
        (Rules(visitor_bytes=10), "file_quota"),
        (Rules(per_day=0), "file_daily"),
        (Rules(most_pixels=10), "file_pixels"),
    ],
)
def test_what_is_too_much_is_refused_and_leaves_nothing(upload: Uploads, root: Path, rules: Rules, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        upload(rules=rules)
    assert not Attachment.objects.exists()
    assert not files(root)
    assert not VaultEntry.objects.exists()


def test_the_days_files_are_counted_by_visitor_in_all_conversations(upload: Uploads) -> None:
    rules = Rules(per_day=2)
    upload(rules=rules)
    upload(rules=rules, owner=Owner(uuid.uuid4(), upload.owner.visitor))
    with pytest.raises(FileRefused, match="file_daily"):
        upload(rules=rules)
    upload(rules=rules, owner=Owner(upload.owner.conversation, uuid.uuid4()))
    Attachment.objects.update(created=timezone.now() - timedelta(hours=25))
    upload(rules=rules)


def test_the_quota_counts_what_is_kept(upload: Uploads) -> None:
    rules = Rules(visitor_bytes=250_000)
    upload("a.txt", b"a" * 200_000, rules=rules)
    with pytest.raises(FileRefused, match="file_quota"):
        upload("b.txt", b"b" * 60_000, rules=rules)
    upload("c.txt", b"c" * 50_000, rules=rules)


def test_an_erased_conversation_takes_no_file(upload: Uploads, root: Path) -> None:
    def gone() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        upload(lock=gone)
    assert not files(root)


def test_a_conversation_erased_in_the_middle_keeps_no_file(upload: Uploads, root: Path) -> None:
    calls = []

    def gone_later() -> None:
        calls.append(1)
        if len(calls) == 2:
            assert files(root)
            raise LookupError

    with pytest.raises(LookupError):
        upload(lock=gone_later)
    assert not files(root)
    assert not Attachment.objects.exists()


# --- the scanner


def test_what_the_scanner_passes_is_taken(upload: Uploads) -> None:
    seen = []
    original = picture("JPEG")
    upload("a.jpg", original, scan=lambda data: seen.append(data))
    assert seen == [original], "it sees what was sent, not what is kept"


def test_what_the_scanner_finds_is_refused(upload: Uploads, root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(FileRefused, match="file_unsafe"):
        upload(scan=lambda data: "Eicar-Test-Signature")
    assert "Eicar-Test-Signature" in caplog.text
    assert not files(root)


def test_without_the_scanners_verdict_nothing_is_taken(upload: Uploads, caplog: pytest.LogCaptureFixture) -> None:
    def away(data: bytes) -> None:
        raise ScannerUnavailable("nobody listens")

    with pytest.raises(FileRefused, match="file_unchecked"):
        upload(scan=away)
    assert "nobody listens" in caplog.text
    assert not Attachment.objects.exists()


# --- sent


def test_a_message_names_files_in_its_own_order(upload: Uploads) -> None:
    first, second = upload("a.png"), upload("b.png")
    said = services.send([second.id, first.id], upload.owner)
    assert [file["name"] for file in said] == ["b.png", "a.png"]
    assert said[0] == {"id": str(second.id), "name": "b.png", "type": "image/png", "size": second.size}


def test_nobody_sends_what_is_not_theirs(upload: Uploads) -> None:
    mine = upload()
    conversation, visitor = upload.owner.conversation, upload.owner.visitor
    for thief in (Owner(uuid.uuid4(), visitor), Owner(conversation, uuid.uuid4())):
        with pytest.raises(NotSendable):
            services.send([mine.id], thief)
    with pytest.raises(NotSendable):
        services.send([mine.id, uuid.uuid4()], upload.owner)
    services.send([mine.id], upload.owner)
    with pytest.raises(NotSendable):
        services.send([mine.id], upload.owner)


# --- out


def test_only_what_was_sent_in_that_conversation_is_read(upload: Uploads) -> None:
    unsent, sent = upload("note.txt", TEXT), upload.sent("note.txt", TEXT)
    assert read(unsent) is None
    assert services.read(sent.id, uuid.uuid4(), master_key=MASTER_KEY) is None
    assert services.read(uuid.uuid4(), sent.conversation_id, master_key=MASTER_KEY) is None
    assert read(sent) == TEXT


@pytest.mark.parametrize("damage", ["changed", "cut", "swapped", "gone"])
def test_a_damaged_file_is_not_read(upload: Uploads, root: Path, damage: str) -> None:
    attachment, other = upload.sent("note.txt", TEXT), upload.sent("note.txt", TEXT)
    path = root / attachment.conversation_id.hex / attachment.id.hex
    sealed = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "swapped":
        path.write_bytes((path.parent / other.id.hex).read_bytes())
    else:
        path.write_bytes(sealed[:-1] if damage == "cut" else sealed[:100] + bytes([sealed[100] ^ 1]) + sealed[101:])
    assert read(attachment) is None


def test_another_master_key_reads_nothing(upload: Uploads) -> None:
    attachment = upload.sent()
    other = MasterKey(b"o" * 32)
    assert services.read(attachment.id, attachment.conversation_id, master_key=other) is None


# --- gone


@pytest.mark.django_db(transaction=True)
def test_erasing_takes_all_files_of_the_conversation_and_no_others(upload: Uploads, root: Path) -> None:
    upload(), upload.sent()
    kept = upload(owner=Owner(uuid.uuid4(), uuid.uuid4()))
    assert services.erase(upload.owner.conversation) == 2
    assert Attachment.objects.get() == kept
    assert [path.name for path in files(root)] == [kept.id.hex]


@pytest.mark.django_db(transaction=True)
def test_erasing_that_fails_takes_nothing(upload: Uploads, root: Path) -> None:
    attachment = upload.sent("note.txt", TEXT)
    with transaction.atomic():
        services.erase(attachment.conversation_id)
        transaction.set_rollback(True)
    assert read(attachment) == TEXT


def test_without_the_conversations_key_nothing_opens(upload: Uploads) -> None:
    attachment = upload.sent()
    vault.erase(attachment.conversation_id)
    assert read(attachment) is None


@pytest.mark.django_db(transaction=True)
def test_single_files_can_be_taken_back(upload: Uploads, root: Path) -> None:
    withdrawn, kept = upload.sent(), upload.sent()
    services.remove([withdrawn.id], uuid.uuid4())
    services.remove([withdrawn.id], upload.owner.conversation)
    assert Attachment.objects.get() == kept
    assert [path.name for path in files(root)] == [kept.id.hex]


def test_what_nobody_sends_is_swept_after_its_time(upload: Uploads, root: Path) -> None:
    upload()
    sent = upload.sent("note.txt", TEXT)
    make_old(root)
    young = upload()
    assert services.sweep_unsent(HOUR) == 1
    assert {path.name for path in files(root)} == {sent.id.hex, young.id.hex}
    assert set(Attachment.objects.all()) == {sent, young}
    assert read(sent) == TEXT


def test_what_a_crash_left_is_swept(upload: Uploads, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crashing:  # between the file and its row, with no time to clean up
        crashing.setattr(Attachment, "save", crash)
        crashing.setattr(storage, "remove", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            upload()
    half = root / uuid.uuid4().hex / f"{uuid.uuid4().hex}.part"
    half.parent.mkdir()
    half.write_bytes(b"half")
    assert len(files(root)) == 2
    assert services.sweep_unsent(HOUR) == 0, "it may still be coming"
    make_old(root)
    assert services.sweep_unsent(HOUR) == 2
    make_old(root)
    services.sweep_unsent(HOUR)
    assert not list(root.iterdir())


def test_a_half_written_file_is_not_left(root: Path) -> None:
    def chunks() -> object:
        yield b"half"
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        storage.write(root, uuid.uuid4(), uuid.uuid4(), chunks())  # type: ignore[arg-type]
    assert not files(root)
