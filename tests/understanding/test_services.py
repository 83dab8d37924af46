"""What staff teach: rows that nobody overwrites unseen, models that are tried before they are used."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.understanding.intents.examples import embed, utterances
from understanding import models, services, shipped
from understanding.errors import CannotTrain, ModelUnreadable, UnderstandingError

pytestmark = pytest.mark.django_db

ENCODER = shipped.understanding().classifier.encoder


def rows() -> list[dict[str, Any]]:
    return [{"text": text, "label": label} for text, label in zip(*utterances(), strict=True)]


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small set of utterances in the place of what ships."""
    monkeypatch.setattr(shipped, "utterances", lambda: [{**row, "language": "en"} for row in rows()[:2]])
    monkeypatch.setattr(shipped, "labels", lambda: shipped_labels)
    assert services.add(rows(), who="mei", source="test").added == len(rows()) - 2


shipped_labels = tuple(
    {"slug": slug, "route": route, "tone": "plain", "temperature": 0.3}
    for slug, route in (("opening", "search"), ("delivery", "search"), ("bye", "small_talk"))
)


def test_what_ships_is_understood_before_anybody_changes_anything() -> None:
    assert services.load(ENCODER).version == "shipped"
    assert services.newest() == 0
    assert {row["slug"] for row in services.labels()} == set(services.load(ENCODER).classifier.labels)
    assert [row["number"] for row in services.versions()] == [services.SHIPPED]
    assert not models.Utterance.objects.exists()


def test_the_first_change_copies_what_ships() -> None:
    services.put_label("loyalty", who="mei", route="search")
    assert models.Label.objects.count() == len(shipped.labels()) + 1
    assert models.Utterance.objects.filter(source=services.SOURCE).count() == len(shipped.utterances())
    assert services.newest() > 0


@pytest.mark.usefixtures("own")
def test_importing_again_adds_nothing_and_brings_nothing_back() -> None:
    of_shipped = models.Utterance.objects.filter(source=services.SOURCE).first()
    assert of_shipped is not None
    services.delete(of_shipped.pk, who="mei", version=1)
    again = services.add([*rows(), {"text": "  " + rows()[5]["text"].upper()}], who="mei", source="test")
    assert (again.added, again.duplicates) == (0, len(rows()))
    assert len(list(services.export())) == len(rows()) - 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": " ", "label": "bye"}, "no text"),
        ({"label": "bye"}, "no text"),
        ({"text": "x" * 501, "label": "bye"}, "longer than"),
        ({"text": "call <CN_MOBILE_1>", "label": "bye"}, "placeholder"),
        ({"text": "see you", "label": "nobody"}, "no label nobody"),
        ({"text": "see you", "label": "oos"}, None),
        ({"text": "see you", "label": "bye"}, None),
    ],
)
@pytest.mark.usefixtures("own")
def test_rows_that_cannot_be_used_are_counted_with_the_reason(row: dict[str, Any], reason: str | None) -> None:
    done = services.add([row], who="mei", source="test")
    assert done.added == (reason is None)
    assert [reason in found for found in done.rejected] == [True] * (reason is not None) if reason else True


@pytest.mark.usefixtures("own")
def test_labels_can_be_made_on_import() -> None:
    done = services.add([{"text": "club card", "label": "loyalty"}], who="mei", source="f", make_labels=True)
    assert done.added == 1
    assert "loyalty" in {row["slug"] for row in services.labels()}


@pytest.mark.usefixtures("own")
def test_nobody_overwrites_or_deletes_what_they_have_not_seen() -> None:
    row = models.Utterance.objects.exclude(source=services.SOURCE).first()
    assert row is not None
    services.edit(row.pk, who="mei", version=1, label="bye")
    for act in (
        lambda: services.edit(row.pk, who="bo", version=1, label="opening"),
        lambda: services.delete(row.pk, who="bo", version=1),
        lambda: services.put_label("bye", who="bo", version=7, tone="warm"),
        lambda: services.delete_label("nobody", who="bo", version=1),
    ):
        with pytest.raises(services.Stale):
            act()
    row.refresh_from_db()
    assert (row.label, row.version) == ("bye", 2)
    services.delete(row.pk, who="mei", version=2)
    assert not models.Utterance.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("slug", "settings", "says"),
    [
        ("Big Deal", {}, "cannot name a label"),
        ("oos", {}, "cannot name a label"),
        ("bye", {}, "already"),
        ("deal", {"route": "nowhere"}, "route is one of"),
        ("deal", {"tone": "angry"}, "tone is one of"),
        ("deal", {"temperature": 3}, "between 0 and 1"),
        ("deal", {"filter": {"topic": 1}}, "strings"),
        ("deal", {"colour": "red"}, "no colour"),
    ],
)
@pytest.mark.usefixtures("own")
def test_settings_that_make_no_sense_are_refused(slug: str, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(UnderstandingError, match=says):
        services.put_label(slug, who="mei", **settings)


@pytest.mark.usefixtures("own")
def test_a_label_with_utterances_stays() -> None:
    with pytest.raises(UnderstandingError, match="still has utterances"):
        services.delete_label("bye", who="mei", version=1)


@pytest.mark.usefixtures("own")
def test_a_model_is_used_once_it_is_activated_and_its_labels_act_at_once() -> None:
    model = services.train(embed, ENCODER, who="mei")
    assert services.load(ENCODER).version == "shipped"
    assert services.report(model.number)["accuracy"] > 0.9
    before = services.newest()
    services.activate(model.number, ENCODER, who="mei")
    assert services.newest() > before
    understanding = services.load(ENCODER)
    assert understanding.version == str(model.number)
    assert understanding("bye please", embed(["bye please"])[0]).does.route == "small_talk"
    services.put_label("bye", who="mei", version=1, route="search", tone="warm")
    changed = services.load(ENCODER)("bye please", embed(["bye please"])[0])
    assert (changed.intent, changed.does.route, changed.does.tone) == ("bye", "search", "warm")


@pytest.mark.usefixtures("own")
def test_one_goes_back_step_by_step_to_what_was_active_before() -> None:
    first, second = (services.train(embed, ENCODER, who="mei").number for _ in range(2))
    assert (first, second) == (1, 2)
    for number in (first, second, second):
        services.activate(number, ENCODER, who="mei")
    assert services.rollback(ENCODER, who="bo") == first
    assert services.rollback(ENCODER, who="bo") == services.SHIPPED
    with pytest.raises(UnderstandingError, match="no other model"):
        services.rollback(ENCODER, who="bo")
    services.activate(second, ENCODER, who="bo")
    assert [row["number"] for row in services.versions() if row["active"]] == [second]
    services.activate(services.SHIPPED, ENCODER, who="bo")
    assert services.load(ENCODER).version == "shipped"
    assert services.history()[0].who == "bo"


@pytest.mark.usefixtures("own")
def test_two_models_are_never_active() -> None:
    for _ in range(2):
        services.train(embed, ENCODER, who="mei")
    with pytest.raises(IntegrityError), transaction.atomic():
        models.IntentModel.objects.update(active=True)


@pytest.mark.usefixtures("own")
def test_a_model_that_cannot_be_used_never_becomes_active_or_is_left_aside() -> None:
    model = services.train(embed, ENCODER, who="mei")
    services.activate(model.number, ENCODER, who="mei")
    models.IntentModel.objects.update(weights=b"broken")
    assert services.load(ENCODER).version == "shipped"
    with pytest.raises(ModelUnreadable):
        services.activate(model.number, ENCODER, who="mei")
    with pytest.raises(UnderstandingError, match="no model 9"):
        services.activate(9, ENCODER, who="mei")
    with pytest.raises(ModelUnreadable, match="not of another"):
        services.load("another")


@pytest.mark.usefixtures("own")
def test_a_model_for_other_vectors_is_not_activated_and_not_gone_back_to() -> None:
    first, second = (services.train(embed, encoder, who="mei").number for encoder in ("another", ENCODER))
    services.activate(first, "another", who="mei")
    services.activate(second, ENCODER, who="mei")
    changes = services.newest()
    for act in (
        lambda: services.activate(first, ENCODER, who="bo"),
        lambda: services.activate(services.SHIPPED, "another", who="bo"),
        lambda: services.rollback(ENCODER, who="bo"),
    ):
        with pytest.raises(ModelUnreadable, match="trained on vectors of"):
            act()
    assert services.load(ENCODER).version == str(second)
    assert services.newest() == changes


def test_changes_are_counted_without_a_gap_and_of_two_at_once_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    services.put_label("loyalty", who="mei", route="search")
    before = services.newest()
    with transaction.atomic():
        services.put_label("gifts", who="mei", route="search")
        transaction.set_rollback(True)  # given up; the database's own count would go on
    services.put_label("gifts", who="mei", route="search")
    assert services.newest() == before + 1
    monkeypatch.setattr(services, "newest", lambda: before)  # what the slower of two has seen
    with pytest.raises(services.Stale, match="somebody else"):
        services.put_label("cards", who="bo", route="search")
    assert not models.Label.objects.filter(slug="cards").exists()


@pytest.mark.usefixtures("own")
def test_nothing_is_trained_on_too_little() -> None:
    models.Utterance.objects.update(active=False)
    with pytest.raises(CannotTrain, match="no utterances"):
        services.train(embed, ENCODER, who="mei")


def test_labels_are_counted_and_utterances_paged_whether_they_are_copied_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "PAGE", 20)
    shipped_counts, pages = services.counted_labels(), services.page_of("shipping", number=99)
    assert shipped_counts[-1]["slug"] == "oos"
    assert pages.number == pages.pages > 1
    assert [row["id"] for row in pages.rows] == [None] * len(pages.rows)
    first = services.page_of("shipping").rows[0]
    row = services.own(first["text"])
    assert row["version"] == first["version"]
    services.edit(row["id"], who="mei", version=row["version"], active=False)
    assert [row for row in services.counted_labels() if row["slug"] == "shipping"] == [
        {**one, "version": 1, first["language"]: one[first["language"]] - 1, "inactive": 1}
        for one in shipped_counts
        if one["slug"] == "shipping"
    ]
    assert services.page_of("shipping").total == pages.total
    assert not services.page_of("shipping").rows[0]["active"]


def test_utterances_of_a_label_are_searched_whatever_their_case() -> None:
    text = services.page_of("shipping").rows[0]["text"]
    assert text in [row["text"] for row in services.page_of("shipping", search=text.upper()).rows]
    assert services.page_of("shipping", search="no such words").rows == []
    assert services.page_of("payment", search=text).total == 0
    with pytest.raises(UnderstandingError, match="no such utterance"):
        services.own("no such words")
