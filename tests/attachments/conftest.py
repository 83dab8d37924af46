"""A private folder of each test's own, and a visitor who uploads."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from attachments import services
from attachments.models import Attachment
from attachments.rules import Rules
from attachments.services import Owner
from tests.attachments.samples import picture
from tests.chatbot.conftest import MASTER_KEY
from tests.fakes import FakeFind


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "ATTACHMENTS", tmp_path / "attachments")
    return tmp_path / "attachments"


@pytest.fixture
def owner() -> Owner:
    return Owner(uuid.uuid4(), uuid.uuid4())


class Uploads:
    """Uploads pictures of its owner."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def __call__(self, name: str = "a.png", data: bytes = picture("PNG"), **options: Any) -> Attachment:
        arguments: dict[str, Any] = {"rules": Rules(), "find": FakeFind(), "master_key": MASTER_KEY}
        return services.store(name, data, options.pop("owner", self.owner), **{**arguments, **options})

    def sent(self, name: str = "a.png", data: bytes = picture("PNG"), **options: Any) -> Attachment:
        attachment = self(name, data, **options)
        services.send([attachment.id], self.owner)
        return attachment


@pytest.fixture
def upload(db: None, root: Path, owner: Owner) -> Uploads:
    return Uploads(owner)
