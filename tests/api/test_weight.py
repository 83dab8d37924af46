"""What web carries for the API: no index, no model; and how large a body it reads for whom."""

import subprocess
import sys

import pytest

from api import bodies, tokens
from knowledge.models import KnowledgeBase
from knowledge.parsing import DEFAULT
from tests.patience import PATIENCE

HEAVY = ("faiss", "onnxruntime", "scipy", "sklearn", "spacy", "torch", "chatbot.worker_wiring")


def test_the_routes_load_no_index_and_no_model() -> None:
    code = f"import sys, django; django.setup(); import config.urls; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=2 * PATIENCE, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.django_db
def test_a_large_body_is_read_for_a_token_of_ours_alone() -> None:
    KnowledgeBase.objects.create(slug="shop", name="Shop")
    token = tokens.make("crm", "shop", "edit")

    def most(value: str, path: str = "/api/v1/documents") -> int:
        return bodies.most_bytes({"path": path, "headers": [(b"authorization", value.encode())]})

    for path in ("/api/v1/documents", "/api/v1/previews"):
        assert most(f"Bearer {token}", path) > DEFAULT.bytes_in
    for other in ("", token[5:], f"Bearer {token}x", f"Basic {token}", "Bearer kefu_" + "a" * 55):
        assert most(other) < 3_000_000, other
    assert most(f"Bearer {token}", "/api/v1/golden") < 3_000_000
