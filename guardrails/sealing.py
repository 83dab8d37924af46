"""The cryptography of the vault: master key file, one data key a conversation, sealed values, look-up by HMAC.

AES-256-GCM, HKDF-SHA256, HMAC-SHA256 of the `cryptography` package. Knows nothing of the database.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_CHUNK_BYTES = 1 << 16
_PREFIX_BYTES = 7


class VaultError(Exception):
    """The vault cannot be used: the message says why and what to do. It never holds a key or a value."""


@dataclass(frozen=True)
class MasterKey:
    """What wraps the data keys. `id` tells keys apart, so that they can be rotated, and gives nothing away."""

    secret: bytes = field(repr=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", hashlib.sha256(b"kefu master key id" + self.secret).hexdigest()[:16])


def load_or_create_master_key(path: Path, vault_is_empty: bool) -> MasterKey:
    """Return the key in `path`, made (mode 0600) when there is none. Safe when several processes start at once.

    Raises VaultError when the file is missing although the vault holds data, readable by others, or damaged.
    """
    if not path.exists():
        if not vault_is_empty:
            raise VaultError(f"refuse to start: {path} is missing, and only it opens the vault's data; restore it")
        _create(path)
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise VaultError(f"{path} can be read by other users: chmod 600 {path}")
        try:
            secret = base64.b64decode(file.read().strip(), validate=True)
        except ValueError:
            secret = b""
    if len(secret) != _KEY_BYTES:
        raise VaultError(f"{path} is not a master key: restore it from its backup")
    return MasterKey(secret)


def _create(path: Path) -> None:
    """Write a new key beside `path`, then link it into place: nobody reads half a key, and the first writer wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink()


class DataKey:
    """The key of one conversation: seals its values, opens them, and finds them again without opening."""

    def __init__(self, conversation: UUID, secret: bytes) -> None:
        self.conversation = conversation
        self._cipher = AESGCM(_derived(secret, b"kefu vault seal"))
        self._lookup_key = _derived(secret, b"kefu vault lookup")
        self._files_key = _derived(secret, b"kefu vault files")

    def seal(self, entity: str, number: int, value: str) -> bytes:
        """Return `value` encrypted; it opens only as this conversation's `number`-th value of this entity."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, value.encode("utf-8", "surrogatepass"), self._place(entity, number))
        return nonce + sealed

    def open(self, entity: str, number: int, sealed: bytes) -> str:
        """Return the value. Raises VaultError when it was sealed with another key or for another place."""
        try:
            value = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._place(entity, number))
        except InvalidTag:
            raise VaultError(f"{entity} {number} does not open: it was moved, changed or sealed elsewhere") from None
        return value.decode("utf-8", "surrogatepass")

    def seal_file(self, place: str, data: bytes) -> Iterator[bytes]:
        """Yield `data` encrypted, in chunks; it opens only as this conversation's file of that place, and only whole.

        The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): each chunk's nonce holds its number, and
        whether it is the last one.
        """
        cipher, prefix = self._file_cipher(place), secrets.token_bytes(_PREFIX_BYTES)
        yield prefix
        for number, start in enumerate(range(0, len(data) or 1, _CHUNK_BYTES)):
            end = start + _CHUNK_BYTES
            yield cipher.encrypt(_chunk_nonce(prefix, number, end >= len(data)), data[start:end], None)

    def open_file(self, place: str, sealed: BinaryIO) -> Iterator[bytes]:
        """Yield the file's bytes in chunks. Raises VaultError where it was changed, cut off or sealed elsewhere."""
        cipher, prefix = self._file_cipher(place), sealed.read(_PREFIX_BYTES)
        number, chunk = 0, sealed.read(_CHUNK_BYTES + _TAG_BYTES)
        while True:
            following = sealed.read(_CHUNK_BYTES + _TAG_BYTES)
            try:
                yield cipher.decrypt(_chunk_nonce(prefix, number, not following), chunk, None)
            except (InvalidTag, ValueError):  # ValueError: too short for a nonce
                raise VaultError(f"file {place} does not open: it was changed, cut off or sealed elsewhere") from None
            if not following:
                return
            number, chunk = number + 1, following

    def _file_cipher(self, place: str) -> AESGCM:
        return AESGCM(_derived(self._files_key, place.encode()))

    def lookup(self, entity: str, value: str) -> str:
        """Return 64 hexadecimal digits under which the value is found again in this conversation, and in no other."""
        message = entity.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
        return hmac.new(self._lookup_key, message, hashlib.sha256).hexdigest()

    def _place(self, entity: str, number: int) -> bytes:
        return f"kefu vault|{self.conversation}|{entity}|{number}".encode()


def new_data_key(conversation: UUID, master_key: MasterKey) -> bytes:
    """Return a fresh data key for the conversation, wrapped by the master key: what the database may hold."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(master_key.secret).encrypt(nonce, secrets.token_bytes(_KEY_BYTES), _owner(conversation))


def unwrap(conversation: UUID, wrapped: bytes, master_key: MasterKey) -> DataKey:
    """Return the conversation's data key. Raises VaultError when another master key or conversation wrapped it."""
    return DataKey(conversation, _unwrapped(conversation, wrapped, master_key))


def _unwrapped(conversation: UUID, wrapped: bytes, master_key: MasterKey) -> bytes:
    try:
        return AESGCM(master_key.secret).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _owner(conversation))
    except InvalidTag:
        raise VaultError(
            f"a conversation's key does not open with master key {master_key.id}: restore its own"
        ) from None


def rewrapped(conversation: UUID, wrapped: bytes, old: MasterKey, new: MasterKey) -> bytes:
    """Return the conversation's data key, which `old` wrapped, wrapped by `new`. Raises VaultError like `unwrap`."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(new.secret).encrypt(nonce, _unwrapped(conversation, wrapped, old), _owner(conversation))


def seal_secret(secret: str, place: str, master_key: MasterKey) -> bytes:
    """Return a secret of the installation encrypted; it opens only under the same `place`, which names its use."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _secrets_cipher(master_key).encrypt(nonce, secret.encode(), place.encode())


def open_secret(sealed: bytes, place: str, master_key: MasterKey) -> str:
    """Return the secret. Raises VaultError when it was sealed with another master key or for another place."""
    try:
        secret = _secrets_cipher(master_key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
    except InvalidTag:
        raise VaultError(f"{place} does not open with master key {master_key.id}: restore its own") from None
    return secret.decode()


def _secrets_cipher(master_key: MasterKey) -> AESGCM:
    return AESGCM(_derived(master_key.secret, b"kefu installation secrets"))


def _chunk_nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _owner(conversation: UUID) -> bytes:
    return f"kefu vault key|{conversation}".encode()


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(secret)
