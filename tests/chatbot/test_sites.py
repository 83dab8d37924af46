"""What a site decides; its user secret: shown once, sealed ever after."""

import logging
from typing import Any

import pytest
from django.contrib.admin.sites import site as admin_site
from django.contrib.auth.models import User
from django.core import serializers
from django.core.exceptions import ValidationError
from django.test import Client

from chatbot import sites, wiring
from chatbot.models import Site
from chatbot.turn import Language
from guardrails.sealing import MasterKey, VaultError
from tests.chatbot.conftest import MASTER_KEY


@pytest.mark.parametrize(
    ("spoken", "wanted", "expected"),
    [
        (["zh", "en"], "en", "en"),
        (["zh", "en"], "zh", "zh"),
        (["zh"], "en", "zh"),
        (["en"], "zh", "en"),
        ([], "zh", "zh"),
    ],
)
def test_a_language_that_the_site_does_not_speak_falls_back_to_its_first_one(
    spoken: list[str], wanted: Language, expected: str
) -> None:
    assert sites.spoken(Site(languages=spoken), wanted) == expected


@pytest.mark.parametrize(
    ("name", "persona", "expected"),
    [
        ("", "", ""),
        ("Pine", "", "Your name is Pine."),
        ("", "Be brief.", "Be brief."),
        ("Pine", "Be brief.", "Your name is Pine.\nBe brief."),
    ],
)
def test_the_persona_is_name_and_manner(name: str, persona: str, expected: str) -> None:
    assert sites.persona(Site(bot_name=name, persona=persona)) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hours", {"zone": "Nowhere/At_All"}),
        ("hours", []),
        ("languages", []),
        ("languages", ["fr"]),
        ("languages", "zh"),
        ("languages", [["zh"]]),
        ("persona", "x" * 601),
    ],
)
def test_a_site_that_makes_no_sense_is_refused_by_field(site: Site, field: str, value: Any) -> None:
    setattr(site, field, value)
    with pytest.raises(ValidationError) as refused:
        site.full_clean()
    assert list(refused.value.message_dict) == [field]


def test_a_site_that_makes_sense_is_taken(site: Site) -> None:
    site.hours = {"zone": "Asia/Shanghai", "week": {"mon": [["09:00", "18:00"]]}}
    site.languages, site.persona = ["en"], "x" * 600
    site.full_clean()


def test_hours_that_nobody_checked_and_nobody_can_read_count_as_always_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert sites.hours_of(Site(pk=3, hours={"zone": "Nowhere/At_All"})) is None
    assert "site 3" in caplog.text


def test_a_new_secret_replaces_the_old_one_and_is_sealed(site: Site) -> None:
    assert sites.user_secret(site, master_key=MASTER_KEY) == ""
    first = sites.new_user_secret(site, master_key=MASTER_KEY)
    second = sites.new_user_secret(site, master_key=MASTER_KEY)
    assert first != second
    assert len(second) >= 43
    site.refresh_from_db()
    assert sites.user_secret(site, master_key=MASTER_KEY) == second
    assert second.encode() not in bytes(site.user_secret)


def test_a_secret_opens_with_its_master_key_and_for_its_site_alone(site: Site) -> None:
    sites.new_user_secret(site, master_key=MASTER_KEY)
    with pytest.raises(VaultError):
        sites.user_secret(site, master_key=MasterKey(b"x" * 32))
    other = Site.objects.create(key="other", name="Other", knowledge_base="x", user_secret=site.user_secret)
    with pytest.raises(VaultError):
        sites.user_secret(other, master_key=MASTER_KEY)


def test_the_admin_shows_it_once_and_never_again(
    site: Site, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wiring, "master_key", lambda: MASTER_KEY)
    caplog.set_level(logging.DEBUG)
    client.force_login(User.objects.create_superuser("admin", password="x"))
    action = {"action": "make_user_secret", "_selected_action": [site.pk]}
    reply = client.post("/admin/chatbot/site/", action)
    site.refresh_from_db()
    secret = sites.user_secret(site, master_key=MASTER_KEY)
    assert secret in reply.content.decode()
    assert "no-store" in reply["Cache-Control"]
    pages = [client.get(f"/admin/chatbot/site/{rest}").content.decode() for rest in ("", f"{site.pk}/change/")]
    shown = [*pages, serializers.serialize("json", [site]), caplog.text, str(client.session.items()), repr(site)]
    assert not any(secret in text for text in shown)
    assert "user_secret" not in admin_site.get_model_admin(Site).get_fields(reply.wsgi_request, site)


def test_who_may_only_look_gets_no_secret(site: Site, client: Client) -> None:
    from django.contrib.auth.models import Permission

    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_site"))
    client.force_login(viewer)
    client.post("/admin/chatbot/site/", {"action": "make_user_secret", "_selected_action": [site.pk]})
    site.refresh_from_db()
    assert not site.user_secret
