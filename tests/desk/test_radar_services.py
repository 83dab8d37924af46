import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from chatbot.models import Conversation, LedgerEntry, Message, Site
from desk import radar_services
from desk.radar_findings import dismiss, findings, restore
from desk.radar_services import scan
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.models import Chunk, Document, RadarFinding
from tests.knowledge.tooling import bring

TODAY = date(2026, 11, 22)
REST = "days of delivery to our own warehouse in the old harbour together with the note that lay inside the parcel."
ONE = f"Please return boots within 30 {REST}"
OTHER = f"Please return boots within 14 {REST}"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(tmp_path: Any, settings: Any) -> None:
    settings.DOCUMENTS = tmp_path


@pytest.fixture
def site() -> Site:
    return Site.objects.create(key="shop", name="The Shop", knowledge_base="shop")


def publish(**documents: str) -> None:
    for name, text in documents.items():
        bring(text, f"{name}.md", then="urgent")


def look(**options: Any) -> radar_services.Counts:
    return scan("shop", **({"model_id": "fake@1", "today": TODAY} | options))


def met(site: Site, *chunks: int, conversation: Conversation | None = None) -> Conversation:
    """An answer that met these chunks."""
    conversation = conversation or Conversation.objects.create(site=site, visitor=uuid.uuid4())
    message = Message.objects.create(conversation=conversation, role="bot", text="…", outcome="answered")
    LedgerEntry.objects.create(message=message, passages=[[chunk, 0.5] for chunk in chunks])
    return conversation


def chunk_of(text: str) -> int:
    return Chunk.objects.filter(text=text).latest("pk").pk


def test_a_scan_writes_what_it_finds_in_the_published_release() -> None:
    publish(a=ONE, b=OTHER, c="The spring sale runs until 31 March 2025.")
    assert look() == radar_services.Counts(contradictions=1, expired=1, new=2)
    found = findings("shop", kind="contradiction").get()
    assert sorted(found.chunks) == sorted([chunk_of(ONE), chunk_of(OTHER)])
    [difference] = found.detail["differences"]
    assert (difference["kind"], sorted(difference["values"])) == ("duration", ["14 days", "30 days"])


def test_a_second_scan_changes_nothing_and_drafts_are_not_looked_at() -> None:
    publish(a=ONE, b=OTHER)
    bring(f"Please return boots within 7 {REST}", "draft.md")
    look()
    before = list(RadarFinding.objects.values_list("pk", "key"))
    assert look() == radar_services.Counts(contradictions=1)
    assert list(RadarFinding.objects.values_list("pk", "key")) == before


def test_what_is_corrected_disappears() -> None:
    publish(a=ONE, b=OTHER)
    look()
    publish(b=ONE + " Thank you.")
    assert look().gone == 1
    assert not findings("shop", kind="contradiction").exists()


def test_what_was_dismissed_stays_dismissed_even_when_it_went_and_came_back() -> None:
    publish(a=ONE, b=OTHER)
    look()
    finding = findings("shop").get()
    assert dismiss(finding.pk, "ann")
    assert not dismiss(finding.pk, "bob")
    assert look().contradictions == 0
    publish(b="We like tea.")
    look()
    row = RadarFinding.objects.get()
    assert (row.chunks, row.detail, row.dismissed) == ([], {}, "ann")
    publish(b=OTHER)
    assert look().contradictions == 0
    assert findings("shop", dismissed=True).get().pk == finding.pk
    assert restore(finding.pk)
    assert findings("shop").get().pk == finding.pk


def test_nobody_dismisses_nothing() -> None:
    assert not dismiss(1, "ann")
    with pytest.raises(ValueError, match="who"):
        dismiss(1, "")


def test_findings_are_ranked_by_the_conversations_that_met_them(site: Site) -> None:
    publish(a=ONE, b=OTHER, c="The spring sale runs until 31 March 2025.")
    sale = chunk_of("The spring sale runs until 31 March 2025.")
    twice = met(site, sale)
    met(site, sale, conversation=twice)
    met(site, sale)
    met(site, chunk_of(ONE), chunk_of(OTHER))
    look()
    assert list(findings("shop").values_list("kind", "touched")) == [("expired", 2), ("contradiction", 1)]


def test_who_met_the_same_text_in_an_earlier_version_counts(site: Site) -> None:
    publish(a=f"# Returns\n{ONE}\n# Tea\nWe like tea.", b=OTHER)
    met(site, chunk_of(ONE))
    publish(a=f"# Returns\n{ONE}\n# Tea\nWe love coffee.")
    look()
    assert findings("shop").get().touched == 1


def test_conversations_of_other_bases_do_not_count(site: Site) -> None:
    publish(a=ONE, b=OTHER)
    elsewhere = Site.objects.create(key="other", name="Other", knowledge_base="other")
    met(elsewhere, chunk_of(ONE))
    look()
    assert findings("shop").get().touched == 0


def test_a_document_that_no_answer_met_is_unused_once_there_were_enough(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(a="We like tea very much.", b="The office has a garden.", new="Stoves come with a lid.")
    Document.objects.exclude(name="new.md").update(created=timezone.now() - timedelta(days=100))
    met(site, chunk_of("We like tea very much."))
    assert look().unused == 0
    monkeypatch.setattr(radar_services, "LEAST_ENTRIES", 1)
    assert look().unused == 1
    assert findings("shop", kind="unused").get().detail["document"] == "b.md"


def test_of_a_base_that_is_too_large_what_customers_meet_is_scanned(site: Site) -> None:
    publish(a=ONE, b=OTHER, c="We like tea very much.", d="The office has a garden.")
    met(site, chunk_of(ONE), chunk_of(OTHER))
    counts = look(most=2)
    assert (counts.contradictions, counts.left_out) == (1, 2)


def test_a_base_that_is_missing_empty_or_of_another_model_is_told_apart() -> None:
    with pytest.raises(BaseMissing):
        look()
    bring(ONE, "draft.md")
    assert look() == radar_services.Counts()
    publish(a=ONE + " Thank you.")
    with pytest.raises(VectorsMissing):
        look(model_id="other@1")
