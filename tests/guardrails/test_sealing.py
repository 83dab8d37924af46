import os
import threading
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.sealing import DataKey, MasterKey, VaultError, load_or_create_master_key, new_data_key, unwrap

ONE, OTHER = UUID(int=1), UUID(int=2)
MASTER = MasterKey(b"m" * 32)


def test_a_master_key_is_made_once_private_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "var" / "master.key"
    key = load_or_create_master_key(path, vault_is_empty=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create_master_key(path, vault_is_empty=False) == key
    assert os.listdir(path.parent) == ["master.key"]


def test_a_missing_master_key_with_a_full_vault_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="refuse to start"):
        load_or_create_master_key(tmp_path / "master.key", vault_is_empty=False)
    assert os.listdir(tmp_path) == []


def test_a_master_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    load_or_create_master_key(path, vault_is_empty=True)
    path.chmod(0o640)
    with pytest.raises(VaultError, match="chmod 600"):
        load_or_create_master_key(path, vault_is_empty=True)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", b"QUJD\n"])
def test_a_damaged_master_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(VaultError, match="not a master key"):
        load_or_create_master_key(path, vault_is_empty=True)
    assert path.read_bytes() == content


def test_processes_that_start_together_agree_on_one_master_key(tmp_path: Path) -> None:
    keys: list[MasterKey] = []
    start = threading.Barrier(8)

    def load() -> None:
        start.wait()
        keys.append(load_or_create_master_key(tmp_path / "master.key", vault_is_empty=True))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_key_never_shows_in_a_log() -> None:
    assert "mmm" not in repr(MASTER)
    assert "mmm" not in MASTER.id


def data_key(conversation: UUID = ONE) -> DataKey:
    return unwrap(conversation, new_data_key(conversation, MASTER), MASTER)


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_what_is_sealed_opens_again(value: str) -> None:
    key = data_key()
    assert key.open("PERSON", 3, key.seal("PERSON", 3, value)) == value


def test_a_value_opens_only_in_its_own_place() -> None:
    wrapped = new_data_key(ONE, MASTER)
    key = unwrap(ONE, wrapped, MASTER)
    sealed = key.seal("PERSON", 1, "张伟")
    for entity, number in (("PERSON", 2), ("EMAIL", 1)):
        with pytest.raises(VaultError):
            key.open(entity, number, sealed)
    with pytest.raises(VaultError):
        data_key().open("PERSON", 1, sealed)
    with pytest.raises(VaultError):
        key.open("PERSON", 1, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_a_data_key_opens_only_with_its_master_key_and_conversation() -> None:
    wrapped = new_data_key(ONE, MASTER)
    with pytest.raises(VaultError):
        unwrap(OTHER, wrapped, MASTER)
    with pytest.raises(VaultError, match="restore"):
        unwrap(ONE, wrapped, MasterKey(b"n" * 32))


def test_the_same_value_is_sealed_differently_and_looked_up_alike() -> None:
    key = data_key()
    assert key.seal("EMAIL", 1, "a@b.cn") != key.seal("EMAIL", 1, "a@b.cn")
    assert key.lookup("EMAIL", "a@b.cn") == key.lookup("EMAIL", "a@b.cn")
    assert key.lookup("EMAIL", "a@b.cn") != key.lookup("PERSON", "a@b.cn")
    assert key.lookup("EMAIL", "a@b.cn") != data_key(OTHER).lookup("EMAIL", "a@b.cn")
