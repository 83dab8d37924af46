import pytest

from knowledge import releases
from knowledge.loading import current_version
from knowledge.models import Document, DocumentVersion, Examination, GoldenQuestion, KnowledgeBase, Release
from knowledge.releases import Change, Conflict, GateClosed

pytestmark = pytest.mark.django_db


@pytest.fixture
def base() -> KnowledgeBase:
    return KnowledgeBase.objects.create(slug="shop", name="Shop")


def version(base: KnowledgeBase, name: str, stage: str = "ready") -> DocumentVersion:
    document = Document.objects.get_or_create(base=base, name=name)[0]
    document.versions_made += 1
    document.save()
    return DocumentVersion.objects.create(
        document=document, number=document.versions_made, stage=stage, content_hash="0" * 64
    )


def live(base: KnowledgeBase) -> dict[str, int]:
    base.refresh_from_db()
    return (
        {change.document: change.after or 0 for change in releases.changes(base.published, None)}
        if base.published
        else {}
    )


def test_a_draft_answers_nothing_until_it_is_published(base: KnowledgeBase) -> None:
    releases.put(version(base, "a.md"))
    assert (live(base), current_version("shop")) == ({}, 0)
    published = releases.publish("shop")
    assert published is not None
    assert (live(base), current_version("shop")) == ({"a.md": 1}, published.number)


def test_publishing_what_differs_in_nothing_does_nothing(base: KnowledgeBase) -> None:
    assert releases.publish("shop") is None
    releases.put(version(base, "a.md"))
    releases.publish("shop")
    releases.draft("shop")
    assert releases.publish("shop") is None


def test_a_version_that_is_not_ready_cannot_be_put_in(base: KnowledgeBase) -> None:
    for stage in ("stored", "refused", "quarantined", "cancelled"):
        with pytest.raises(ValueError, match=stage):
            releases.put(version(base, "a.md", stage))


def test_a_draft_that_somebody_changed_meanwhile_is_not_published(base: KnowledgeBase) -> None:
    looked_at = releases.put(version(base, "a.md")).revision
    releases.put(version(base, "b.md"))
    with pytest.raises(Conflict):
        releases.publish("shop", revision=looked_at)
    assert live(base) == {}


def test_changes_name_what_came_changed_and_went(base: KnowledgeBase) -> None:
    for name in ("a.md", "b.md", "c.md"):
        releases.put(version(base, name))
    releases.publish("shop")
    releases.put(version(base, "b.md"))
    releases.put(version(base, "d.md"))
    releases.take_out(Document.objects.get(name="a.md"))
    base.refresh_from_db()
    assert releases.changes(releases.draft("shop"), base.published) == [
        Change("a.md", 1, None),
        Change("b.md", 1, 2),
        Change("d.md", None, 1),
    ]


def test_rolling_back_is_one_switch_and_takes_the_bad_change_out_of_the_draft(base: KnowledgeBase) -> None:
    releases.put(version(base, "good.md"))
    first = releases.publish("shop")
    assert first is not None
    releases.put(version(base, "good.md"))
    releases.put(version(base, "bad.md"))
    releases.publish("shop")
    releases.put(version(base, "new.md"))
    assert releases.rollback("shop") == first
    assert live(base) == {"good.md": 1}
    releases.publish("shop")
    assert live(base) == {"good.md": 1, "new.md": 1}


def test_what_was_changed_after_the_bad_release_stays_in_the_draft(base: KnowledgeBase) -> None:
    releases.put(version(base, "a.md"))
    releases.publish("shop")
    releases.put(version(base, "a.md"))
    releases.publish("shop")
    releases.put(version(base, "a.md"))
    releases.rollback("shop")
    releases.publish("shop")
    assert live(base) == {"a.md": 3}


def test_one_can_go_forward_again(base: KnowledgeBase) -> None:
    releases.put(version(base, "a.md"))
    releases.publish("shop")
    releases.put(version(base, "b.md"))
    second = releases.publish("shop")
    assert second is not None
    releases.rollback("shop")
    releases.rollback("shop", second.number)
    assert live(base) == {"a.md": 1, "b.md": 1}


def test_there_may_be_nothing_to_go_back_to(base: KnowledgeBase) -> None:
    with pytest.raises(Release.DoesNotExist):
        releases.rollback("shop")
    releases.put(version(base, "a.md"))
    releases.publish("shop")
    for number in (None, 99):
        with pytest.raises(Release.DoesNotExist):
            releases.rollback("shop", number)


def examine(draft: Release, lost: int) -> None:
    Examination.objects.create(release=draft, revision=draft.revision, results=[], right=0, lost=lost, gained=0)


def test_the_gate_asks_for_an_examination_of_this_very_draft(base: KnowledgeBase) -> None:
    GoldenQuestion.objects.create(base=base, question="How long?")
    draft = releases.put(version(base, "a.md"))
    with pytest.raises(GateClosed, match="not put"):
        releases.publish("shop")
    examine(draft, lost=0)
    draft = releases.put(version(base, "b.md"))
    with pytest.raises(GateClosed, match="not put"):
        releases.publish("shop")
    examine(draft, lost=0)
    assert releases.publish("shop") is not None


@pytest.mark.parametrize(("lost", "allowed", "passes"), [(0, 0, True), (1, 0, False), (1, 1, True), (3, 2, False)])
def test_a_draft_may_lose_as_many_questions_as_the_base_allows(
    base: KnowledgeBase, lost: int, allowed: int, passes: bool
) -> None:
    KnowledgeBase.objects.update(losses_allowed=allowed)
    GoldenQuestion.objects.create(base=base, question="How long?")
    examine(releases.put(version(base, "a.md")), lost)
    if passes:
        assert releases.publish("shop") is not None
    else:
        with pytest.raises(GateClosed, match="lost"):
            releases.publish("shop")


def test_an_urgent_release_passes_the_gate_and_says_so(base: KnowledgeBase) -> None:
    GoldenQuestion.objects.create(base=base, question="How long?")
    releases.put(version(base, "a.md"))
    published = releases.publish("shop", urgent=True, author="li")
    assert published is not None
    assert (published.urgent, published.author) == (True, "li")
    assert published.published_at is not None
