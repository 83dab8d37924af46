"""Intents in the knowledge room: taught, trained, activated and taken back."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from chatbot.encoder import SEARCH
from chatbot.models import Site
from desk import jobs
from desk.models import Job
from rooms.knowledge.wording import WORDS
from tests.console.conftest import site, staff
from tests.rooms.test_knowledge import signed_in, text_of
from understanding import models, services, shipped

__all__ = ["site"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def mei(site: Site) -> User:
    return staff("mei", "knowledge_manager")


@pytest.fixture
def client(mei: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(jobs, "enqueue", lambda: None)
    return signed_in(mei)


def at(name: str, *more: object) -> str:
    return reverse(f"rooms:knowledge_{name}", args=more)


def teach(client: Client, label: str = "invoice", **fields: Any) -> Any:
    return client.post(at("utterances", label), fields)


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
def test_labels_stand_with_their_counts_what_the_model_can_do_and_what_it_confuses(mei: User, language: str) -> None:
    shown = text_of(signed_in(mei, language).get(at("intents")))
    worst = shipped.report()["confusions"][0]
    assert worst["examples"][0] in shown
    assert ("Invoices" if language == "en" else "发票") in shown
    assert ("发票</a>" in shown) == (language != "en")
    assert reverse("rooms:knowledge_activate") not in shown, "there is no model before this one"
    assert ("%" in shown, "{}" in shown.split("knowledge-words")[0]) == (True, False)
    assert text_of(signed_in(mei, language).get(at("intent", "invoice"))).count("<tr") > 40


def test_utterances_are_added_moved_and_taken_away(client: Client) -> None:
    came = teach(client, act="add", texts="开票开票开票\n\n我要一张发票抬头改一下可以吗\n开票开票开票")
    assert "2 were added, 1 were there" in json.loads(came["HX-Trigger"])["toast"]["text"]
    row = models.Utterance.objects.get(text="开票开票开票")
    assert (row.label, row.source) == ("invoice", "mei")
    assert teach(client, act="move", was=row.text, version=1, to="payment").status_code == 204
    assert teach(client, act="move", was=row.text, version=1, to="invoice").status_code == 409
    assert teach(client, act="move", was=row.text, version=2, to="nothing").status_code == 422
    assert teach(client, act="delete", was=row.text, version=2).status_code == 204
    assert not models.Utterance.objects.filter(text=row.text).exists()
    assert teach(client, act="delete", was="never said", version=1).status_code == 422
    shown = text_of(client.get(at("intent", "invoice") + "?q=抬头改", headers={"hx-target": "utterances"}))
    assert "抬头改一下" in shown
    assert "开票开票" not in shown


def test_a_label_is_made_changed_once_and_deleted_when_nothing_belongs_to_it(client: Client) -> None:
    made = client.post(at("intent", "new"), {"slug": "gift_card", "name_en": "Gift cards", "route": "search"})
    assert made["Location"] == at("intent", "gift_card")
    changed = {"version": 1, "route": "small_talk", "reply_en": "Here you are.", "filter": "kind = gifts\n"}
    assert client.post(at("intent", "gift_card"), changed).status_code == 302
    assert client.post(at("intent", "gift_card"), changed).status_code == 409
    label = models.Label.objects.get(slug="gift_card")
    assert (label.route, label.filter, label.name_en) == ("small_talk", {"kind": "gifts"}, "Gift cards")
    wrong = client.post(at("intent", "new"), {"slug": "Gift Card"})
    assert (wrong.status_code, wrong.content.decode()) == (422, WORDS.texts["label_wrong"][1])
    assert client.post(at("intent", "invoice"), {"version": 1, "delete": "1"}).status_code == 422
    assert client.post(at("intent", "gift_card"), {"version": 2, "delete": "1"}).status_code == 302
    assert client.get(at("intent", "gift_card")).status_code == 404


def test_a_training_is_followed_and_its_model_activated_and_taken_back(client: Client) -> None:
    assert "Training, 0%" in text_of(client.post(at("train")))
    Job.objects.update(percent=40)
    assert "Training, 40%" in text_of(client.get(at("train")))
    Job.objects.update(state="done", result={"model": 1, "rows": 5, "accuracy": 0.91, "macro_f1": 0.9})
    assert client.get(at("train"))["HX-Refresh"] == "true"
    assert "Model 1 is trained, accuracy 91%" in text_of(client.get(at("intents")))
    ships = shipped.understanding().classifier
    about, weights = ships.dump({})
    models.IntentModel.objects.create(number=1, about=about, weights=weights, report=shipped.report(), trained_by="mei")
    assert ships.encoder == SEARCH
    assert client.post(at("activate"), {"number": 1}).status_code == 302
    assert services.versions()[0]["active"]
    assert client.post(at("activate"), {"number": 9}).status_code == 422
    assert client.post(at("activate")).status_code == 302
    assert services.versions()[-1]["active"]
    assert client.post(at("activate")).content.decode() == WORDS.texts["no_model_before"][1]


@pytest.mark.parametrize("role", ["agent", "reviewer", "supervisor"])
def test_others_neither_see_nor_change_them(site: Site, role: str) -> None:
    client = signed_in(staff(role, role))
    for where in (at("intents"), at("intent", "invoice"), at("train")):
        assert client.get(where).status_code == 403
    assert teach(client, act="add", texts="x").status_code == 403
    assert client.post(at("activate"), {"number": 0}).status_code == 403
