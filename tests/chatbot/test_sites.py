"""A site's user secret: shown once, sealed ever after."""

import logging

import pytest
from django.contrib.admin.sites import site as admin_site
from django.contrib.auth.models import User
from django.core import serializers
from django.test import Client

from chatbot import sites, wiring
from chatbot.models import Site
from guardrails.vault import MasterKey, VaultError
from tests.chatbot.conftest import MASTER_KEY


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
