"""The first steps: from the demo to a shop of one's own, left and taken up again."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chatbot.models import Conversation, Message, Site
from knowledge.models import KnowledgeBase, Release
from rooms.welcome.steps import STEPS, done
from tests.console.conftest import staff
from tests.console.pages import signed_in

pytestmark = pytest.mark.django_db

SHOP = {"name": "Mountain", "languages": ["zh", "en"], "base": "", "new_base": "mountain"}
INVITATION = "Make Kefu your own"


@pytest.fixture
def demo() -> Site:
    return Site.objects.create(key="demo", name="Demo", knowledge_base="demo")


@pytest.fixture
def root(demo: Site) -> Client:
    staff("root", "administrator", sites=())
    return signed_in(User.objects.get(username="root"))


def step(client: Client, name: str) -> str:
    return client.get(f"/staff/welcome/{name}/").content.decode()


def sent(client: Client, name: str, typed: dict[str, Any]) -> Any:
    """Send the form of a step, as its page asks for it."""
    hidden = dict(re.findall(r'type="hidden" name="(site|seen)" value="([^"]*)"', step(client, name)))
    return client.post(f"/staff/welcome/{name}/", hidden | typed)


def test_who_has_nothing_but_the_demo_is_invited(root: Client, demo: Site) -> None:
    assert INVITATION in root.get("/staff/").content.decode()
    assert root.get("/staff/welcome/").url == "/staff/welcome/shop/"
    Site.objects.create(key="mine", name="Mine", knowledge_base="mine")
    assert INVITATION not in root.get("/staff/").content.decode()
    assert root.get("/staff/welcome/").status_code == 302  # it can be opened all the same


def test_only_administrators_are_invited(demo: Site) -> None:
    boss = signed_in(staff("boss", "supervisor", sites=("demo",)))
    assert INVITATION not in boss.get("/staff/").content.decode()
    for name in STEPS:
        assert boss.get(f"/staff/welcome/{name}/").status_code == 403
    assert boss.post("/staff/welcome/shop/", SHOP).status_code == 403


def test_whoever_says_no_is_not_asked_again_and_may_come_back(root: Client) -> None:
    assert root.post("/staff/welcome/leave/").url == "/staff/"
    assert INVITATION not in root.get("/staff/").content.decode()
    assert root.get("/staff/welcome/", follow=True).status_code == 200


def test_the_steps_lead_from_a_name_to_the_first_question(root: Client) -> None:
    assert root.post("/staff/welcome/shop/", SHOP | {"name": ""}).status_code == 400
    assert root.post("/staff/welcome/shop/", SHOP).url == "/staff/welcome/hours/"
    site = Site.objects.get(name="Mountain")
    week = {"when": "weekly", "zone": "Asia/Shanghai", "mon_begin": ["09:00"], "mon_end": ["18:00"]}
    assert sent(root, "hours", week | {"zone": "Nowhere"}).status_code == 400
    assert sent(root, "hours", week).url == "/staff/welcome/documents/"
    assert "/staff/knowledge/mountain/" in step(root, "documents")
    assert "/staff/people/new/" in step(root, "people")
    assert site.key in step(root, "embed")
    origins = {"allowed_origins": "shop.example"}
    assert sent(root, "embed", origins).status_code == 400
    assert sent(root, "embed", {"allowed_origins": "https://shop.example"}).url.endswith("/ask/")
    assert f'data-key="{site.key}"' in step(root, "ask")
    site.refresh_from_db()
    assert site.allowed_origins == ["https://shop.example"]
    assert site.hours["zone"] == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("name", "typed"),
    [("hours", {"when": "always", "zone": "UTC"}), ("embed", {"allowed_origins": "https://b.example"})],
)
def test_a_step_that_somebody_else_was_faster_with_is_shown_again(
    root: Client, name: str, typed: dict[str, str]
) -> None:
    root.post("/staff/welcome/shop/", SHOP)
    stale = root.post(f"/staff/welcome/{name}/", {**typed, "site": Site.objects.get(name="Mountain").pk, "seen": "x"})
    assert stale.status_code == 409
    assert "Somebody else has changed this site" in stale.content.decode()
    assert sent(root, name, typed).status_code == 302
    assert root.post(f"/staff/welcome/{name}/", typed).status_code == 404  # of no site


def test_the_place_is_kept(root: Client) -> None:
    root.post("/staff/welcome/shop/", SHOP)
    step(root, "people")
    assert root.get("/staff/welcome/").url == "/staff/welcome/people/"
    Site.objects.exclude(key="demo").delete()
    assert root.get("/staff/welcome/").url == "/staff/welcome/shop/"
    assert root.get("/staff/welcome/embed/").url == "/staff/welcome/shop/"


@pytest.mark.parametrize("cookie", ["", "nonsense", "embed.99999999999999", "embed.-1", "skipped", "shop.0", "embed.٣"])
def test_a_place_that_is_none_begins_anew(root: Client, cookie: str) -> None:
    root.cookies["kefu_welcome"] = cookie.encode("ascii", "replace").decode()
    assert root.get("/staff/welcome/").url == "/staff/welcome/shop/"
    assert root.get("/staff/welcome/nonsense/").status_code == 404


def test_a_step_is_done_whoever_did_it(root: Client) -> None:
    root.post("/staff/welcome/shop/", SHOP)
    site = Site.objects.get(name="Mountain")
    assert done(site) == {"shop": True} | dict.fromkeys(STEPS[1:], False)
    base = KnowledgeBase.objects.get(slug="mountain")
    KnowledgeBase.objects.filter(pk=base.pk).update(published=Release.objects.create(base=base, number=1))
    chat = Conversation.objects.create(site=site, visitor="00000000-0000-4000-8000-000000000000")
    Message.objects.create(conversation=chat, role="customer", text="?")
    Site.objects.filter(pk=site.pk).update(allowed_origins=["https://a.example"], hours={"zone": "UTC", "week": {}})
    staff("mei", "agent", sites=())
    site.refresh_from_db()
    assert all(done(site).values())
    assert "Published release 1" in root.get(f"/staff/welcome/documents/now/?site={site.pk}").content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_every_step_renders_in_every_language(root: Client, language: str) -> None:
    root.cookies["django_language"] = language
    assert "style=" not in step(root, "shop")
    root.post("/staff/welcome/shop/", SHOP)
    for name in STEPS:
        answer = root.get(f"/staff/welcome/{name}/")
        assert answer.status_code == 200, name
        assert "style=" not in answer.content.decode()
