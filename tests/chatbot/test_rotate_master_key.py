import uuid
from pathlib import Path

import orjson
import pytest
from django.core.management import CommandError, call_command

from chatbot import sites
from chatbot.models import Site
from guardrails import sealing, vault
from guardrails.models import VaultKey
from guardrails.personal_data.finding import Finding
from guardrails.sealing import MasterKey, VaultError, load_or_create_master_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(tmp_path: Path) -> MasterKey:
    return load_or_create_master_key(tmp_path / "old.key", vault_is_empty=True)


@pytest.fixture
def conversations(old: MasterKey) -> list[uuid.UUID]:
    ids = [uuid.uuid4() for _ in range(5)]
    for conversation in ids:
        vault.mask(conversation, "a@b.cn", [Finding("EMAIL", 0, 6, 1.0)], master_key=old)
    return ids


def rotate(tmp_path: Path, capsys: pytest.CaptureFixture[str], **options: object) -> list[dict[str, object]]:
    arguments = {"old": tmp_path / "old.key", "new": tmp_path / "new.key", "batch": 2, **options}
    call_command("rotate_master_key", *(f"--{name}={value}" for name, value in arguments.items()))
    return [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_everything_opens_with_the_new_key_alone(
    tmp_path: Path, old: MasterKey, conversations: list[uuid.UUID], site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = sites.new_user_secret(site, master_key=old)
    lines = rotate(tmp_path, capsys)
    new = load_or_create_master_key(tmp_path / "new.key", vault_is_empty=False)
    assert [line["rewrapped"] for line in lines if "rewrapped" in line] == [2, 2, 1]
    assert lines[-2] == {"step": "done", "master_key": new.id, "keys_of_other_master_keys": 0}
    assert "KEFU_MASTER_KEY" in str(lines[-1]["next"])
    for conversation in conversations:
        assert vault.values(conversation, master_key=new) == {"<EMAIL_1>": "a@b.cn"}
        with pytest.raises(VaultError):
            vault.values(conversation, master_key=old)
    site.refresh_from_db()
    assert sites.user_secret(site, master_key=new) == secret
    with pytest.raises(VaultError):
        sites.user_secret(site, master_key=old)


def test_killed_in_the_middle_it_goes_on_and_a_second_run_changes_nothing(
    tmp_path: Path,
    old: MasterKey,
    conversations: list[uuid.UUID],
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = sites.new_user_secret(site, master_key=old)
    rewrapped, calls = sealing.rewrapped, []

    def dies(*arguments: object) -> bytes:
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return rewrapped(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "rewrapped", dies)
        with pytest.raises(KeyboardInterrupt):
            rotate(tmp_path, capsys)
    new = load_or_create_master_key(tmp_path / "new.key", vault_is_empty=False)
    assert VaultKey.objects.filter(master_key_id=new.id).count() == 2
    capsys.readouterr()
    assert [line["rewrapped"] for line in rotate(tmp_path, capsys) if "rewrapped" in line] == [2, 1]
    before = list(VaultKey.objects.order_by("pk").values_list("pk", "wrapped"))
    assert not [line for line in rotate(tmp_path, capsys) if "rewrapped" in line]
    assert [(pk, bytes(wrapped)) for pk, wrapped in VaultKey.objects.order_by("pk").values_list("pk", "wrapped")] == [
        (pk, bytes(wrapped)) for pk, wrapped in before
    ]
    assert all(vault.values(conversation, master_key=new) for conversation in conversations)
    site.refresh_from_db()
    assert sites.user_secret(site, master_key=new) == secret


def test_what_opens_with_neither_key_is_said_and_nothing_else_suffers(
    tmp_path: Path, old: MasterKey, conversations: list[uuid.UUID], site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    sites.new_user_secret(site, master_key=MasterKey(b"x" * 32))
    vault.mask(uuid.uuid4(), "a@b.cn", [Finding("EMAIL", 0, 6, 1.0)], master_key=MasterKey(b"x" * 32))
    with pytest.raises(SystemExit):
        rotate(tmp_path, capsys)
    lines = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-2]["sites"] == [site.key]
    assert lines[-1]["keys_of_other_master_keys"] == 1
    new = load_or_create_master_key(tmp_path / "new.key", vault_is_empty=False)
    assert all(vault.values(conversation, master_key=new) for conversation in conversations)


def test_the_same_file_twice_changes_nothing(
    tmp_path: Path, old: MasterKey, conversations: list[uuid.UUID], capsys: pytest.CaptureFixture[str]
) -> None:
    rotate(tmp_path, capsys, new=tmp_path / "old.key")
    assert all(vault.values(conversation, master_key=old) for conversation in conversations)


def test_a_missing_old_key_is_an_error_and_makes_no_file(tmp_path: Path, conversations: list[uuid.UUID]) -> None:
    with pytest.raises(CommandError, match="missing"):
        call_command("rotate_master_key", f"--old={tmp_path / 'lost.key'}", f"--new={tmp_path / 'new.key'}")
    assert not (tmp_path / "lost.key").exists()
    assert not (tmp_path / "new.key").exists()
