"""Documents come and go: the door, duplicates, publishing, retiring, what crashes leave."""

import io
import os
import zipfile
from typing import Any

import pytest

from knowledge import importing, releases, stages, storage
from knowledge.blocks import Paragraph, Unreadable
from knowledge.models import DocumentVersion, GoldenQuestion, KnowledgeBase
from knowledge.releases import Conflict
from knowledge.stages import documents_folder
from tests.knowledge.tooling import OWN, answers, bring, made, texts, tools

pytestmark = pytest.mark.django_db
PAGE = "# Fees\n\nA parcel costs 12 yuan.\n"
OTHER = "# Hours\n\nOpen from nine to six.\n"


def take(text: str, name: str = "a.md", **more: Any) -> importing.Taken:
    return importing.take_in("shop", name, text.encode(), **more)


def test_the_file_is_stored_before_anything_is_made_of_it() -> None:
    taken = take(PAGE)
    assert taken.state == "stored"
    assert taken.version is not None
    assert storage.load(documents_folder(), taken.version.content_hash) == PAGE.encode()
    assert (taken.version.stage, taken.version.bytes) == ("stored", len(PAGE))


def test_the_same_file_again_is_unchanged_whatever_its_stage() -> None:
    assert take(PAGE).state == "stored"
    assert take(PAGE).state == "unchanged"
    made(DocumentVersion.objects.get())
    assert take(PAGE).state == "unchanged"
    assert take(PAGE, made_with="other guards").state == "stored"


def test_the_same_content_under_another_name_is_reported() -> None:
    bring(PAGE)
    taken = take(PAGE, name="b.md")
    assert (taken.state, taken.version, taken.reason) == ("duplicate", None, "says the same as a.md")
    assert take(PAGE, name="b.md", twice=True).state == "stored"


def test_the_same_text_in_another_format_is_reported_once_it_was_read() -> None:
    bring(PAGE)
    version = bring("<h1>Fees</h1><p>A parcel costs 12 yuan.</p>", name="fees.html")
    assert (version.stage, version.reason_code, version.reason) == ("refused", "duplicate", "says the same as a.md")
    assert made(importing.retry(version, twice=True)).stage == "ready"


def test_a_retired_document_is_nobodys_duplicate() -> None:
    importing.retire(bring(PAGE).document)
    assert take(PAGE, name="b.md").state == "stored"


def test_of_two_uploads_of_a_document_the_later_counts_whoever_is_ready_first() -> None:
    early, late = take(PAGE).version, take(OTHER).version
    assert early is not None
    assert late is not None
    made(late)
    made(early)
    assert early.stage == "ready"
    assert importing.current_version(late.document) == late


@pytest.mark.parametrize(("then", "live"), [("", False), ("publish", True), ("urgent", True)])
def test_it_is_published_when_that_was_asked_for(then: str, live: bool) -> None:
    version = bring(PAGE, then=then)
    assert (importing.live_version(version.document) == version) == live
    assert version.then == ""


def test_a_base_that_publishes_by_itself_waits_for_its_golden_questions() -> None:
    base = KnowledgeBase.objects.create(slug="shop", name="Shop", publishes_itself=True)
    first = bring(PAGE)
    assert importing.live_version(first.document) == first
    GoldenQuestion.objects.create(base=base, question="What does a parcel cost?")
    assert importing.live_version(bring("# New\n\nMore of it.\n", name="draft.md", then="draft").document) is None
    second = bring(OTHER, name="b.md")
    assert importing.live_version(second.document) is None
    assert importing.publish_due() == ["shop"]
    GoldenQuestion.objects.all().delete()
    assert importing.publish_due() == []
    assert answers(second.document) == texts(second)


def test_an_urgent_document_goes_live_without_the_rest_of_the_draft() -> None:
    waiting = bring(PAGE)
    urgent = bring(OTHER, name="b.md", then="urgent")
    assert answers(urgent.document) == ["Open from nine to six."]
    assert answers(waiting.document) == []
    releases.publish("shop")
    assert answers(waiting.document) == ["A parcel costs 12 yuan."]
    assert answers(urgent.document) == ["Open from nine to six."]


def test_retiring_keeps_versions_and_cancels_what_is_being_made() -> None:
    document = bring(PAGE, then="urgent").document
    take(OTHER)
    assert importing.retire(document, urgent=True)
    assert answers(document) == []
    assert [one.stage for one in document.versions.order_by("number")] == ["ready", "cancelled"]
    assert not importing.retire(document, urgent=True)


def test_what_was_refused_or_cancelled_is_tried_again_unless_it_is_old() -> None:
    version = bring("")
    assert (version.stage, version.reason_code) == ("refused", "empty")
    assert importing.retry(version).stage == "stored"
    with pytest.raises(Conflict, match="stored"):
        importing.retry(version)
    importing.cancel(version)
    bring(PAGE)
    with pytest.raises(Conflict, match="newer"):
        importing.retry(version)


def test_the_oldest_waits_shortest() -> None:
    names = ["b.md", "a.md", "c.md"]
    for name in names:
        take(PAGE, name=name, twice=True)
    for name in names:
        version = importing.next_version()
        assert version is not None
        assert version.document.name == name
        stages.make(version, tools())
    assert importing.next_version() is None


def test_a_zip_is_its_files() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("fees.md", PAGE)
        archive.writestr("more/hours.md", OTHER)
    assert importing.unpacked("all.zip", packed.getvalue()) == [
        ("fees.md", PAGE.encode()),
        ("more/hours.md", OTHER.encode()),
    ]
    assert importing.unpacked("a.md", b"x") == [("a.md", b"x")]
    with pytest.raises(Unreadable):
        importing.unpacked("all.zip", b"no zip")


def test_there_are_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_DOCUMENTS", 1)
    bring(PAGE)
    assert (take(OTHER, name="b.md").state, take(OTHER).state) == ("refused", "stored")
    monkeypatch.setattr(importing.parsing, "DEFAULT", importing.parsing.Limits(bytes_in=10))
    assert take(PAGE).state == "refused"


def test_odd_names_and_texts_are_stored_where_postgresql_refuses_them() -> None:
    assert stages.drafted([Paragraph("Text\0 of \ud800it.")], str)[0].text == "Text of ?it."
    version = bring(PAGE, name="x" * 600 + "a\0b\nc.md")
    assert version.document.name.endswith("xa b c.md")
    assert len(version.document.name) == 500


def test_files_that_no_version_names_go_after_a_day() -> None:
    bring(PAGE)
    lost = storage.keep(documents_folder(), b"lost")
    assert importing.tidy() == 0
    for path in documents_folder().iterdir():
        os.utime(path, (0, 0))
    importing.tidy()
    assert not (documents_folder() / lost).exists()
    assert storage.load(documents_folder(), DocumentVersion.objects.get().content_hash) == PAGE.encode()


def test_published_contacts_are_those_that_are_shown() -> None:
    assert releases.contacts("shop") == []
    bring(f"# Contact\n\nCall {OWN}, not 13811112222.\n", then="urgent")
    assert releases.contacts("shop") == [OWN]
    importing.retire(DocumentVersion.objects.get().document, urgent=True)
    assert releases.contacts("shop") == []
