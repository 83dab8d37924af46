"""The door of files: who may upload from where, how much, what comes back; who may follow a link, and how long."""

import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.http import HttpResponse
from django.test import Client

from attachments.models import Attachment
from attachments.rules import Rules
from attachments.scanning import Clamd
from attachments.services import NotSendable
from chatbot import answering, files, services, tokens, wiring
from chatbot.events import EventLog
from chatbot.files import Viewer
from chatbot.limits import Limiter, Rate
from chatbot.models import Conversation, Message, Site
from guardrails.models import VaultKey
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.pool import MaskingUnavailable
from tests.attachments.samples import pdf, picture
from tests.chatbot.conftest import MASTER_KEY, Say
from tests.conftest import RedisServer
from tests.fakes import FakeFind

pytestmark = pytest.mark.django_db

ORIGIN = "https://shop.example"
XSS = '"><img src=x onerror=alert(1)>.png'


@pytest.fixture
def web(
    site: Site, redis_running: RedisServer, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> SimpleNamespace:
    """The parts of a web process, to be changed by a test."""
    parts = SimpleNamespace(find=FakeFind(), rules=Rules(), scanner=None, rates=wiring.rates(wiring.limits()))
    monkeypatch.setattr(settings, "ATTACHMENTS", tmp_path / "attachments")
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["chat.example"])
    monkeypatch.setattr(wiring, "masking", lambda: SimpleNamespace(find=parts.find))
    monkeypatch.setattr(wiring, "master_key", lambda: MASTER_KEY)
    monkeypatch.setattr(wiring, "uploads", lambda: parts.rules)
    monkeypatch.setattr(wiring, "scanner", lambda: parts.scanner)
    monkeypatch.setattr(wiring, "limiter", lambda: Limiter(redis_client, parts.rates, secret=b"s"))
    return parts


class Browser:
    """A page with the widget on it, which holds a visitor's token."""

    def __init__(self, chat: Conversation, origin: str = ORIGIN) -> None:
        self.chat, self.origin, self.key = chat, origin, chat.site.key
        self.token = tokens.issue(tokens.Visitor(chat.visitor, chat.id, self.key, origin))
        self.client = Client(enforce_csrf_checks=True, SERVER_NAME="chat.example")

    def upload(self, name: str = "a.png", data: bytes = picture("PNG"), **headers: str | None) -> HttpResponse:
        return self.post({"file": SimpleUploadedFile(name, data)}, **headers)

    def post(self, form: Any, **headers: str | None) -> HttpResponse:
        all_headers = {"Origin": self.origin, "Authorization": f"Bearer {self.token}", "X-Kefu-Key": self.key} | headers
        given = {name: value for name, value in all_headers.items() if value is not None}
        return self.client.post("/files/", form, headers=given)  # type: ignore[return-value]

    def get(self, url: str) -> HttpResponse:
        return self.client.get(url)  # type: ignore[return-value]


@pytest.fixture
def browser(web: SimpleNamespace, chat: Conversation) -> Browser:
    return Browser(chat)


@pytest.fixture
def stranger(web: SimpleNamespace, site: Site, log: EventLog) -> Browser:
    """Another visitor of the same site."""
    return Browser(services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=log))


def code(response: HttpResponse) -> str:
    return str(response.json()["error"])  # type: ignore[attr-defined]


def uploaded(browser: Browser, name: str = "a.png", data: bytes = picture("PNG")) -> uuid.UUID:
    response = browser.upload(name, data)
    assert response.status_code == 201, response.content
    return uuid.UUID(response.json()["id"])  # type: ignore[attr-defined]


def link(identity: uuid.UUID, browser: Browser, **options: Any) -> str:
    viewer = Viewer("customer", str(browser.chat.visitor))
    return files.link(identity, **{"conversation": browser.chat.id, "viewer": viewer} | options)


# --- in


def test_a_file_is_uploaded_then_said_then_fetched(browser: Browser, say: Say) -> None:
    response = browser.upload("照片 13800138000.png", picture("PNG"))
    assert response.status_code == 201
    shown = response.json()  # type: ignore[attr-defined]
    assert (shown["name"], shown["type"]) == ("照片 13800138000.png", "image/png")
    identity = uuid.UUID(shown["id"])
    message = say("", files=[identity])
    assert message.files == [
        {"id": str(identity), "name": "照片 <CN_MOBILE_1>.png", "type": "image/png", "size": shown["size"]}
    ]
    assert message.payload()["message"]["files"] == message.files
    fetched = browser.get(link(identity, browser))
    assert fetched.status_code == 200
    assert len(fetched.content) == shown["size"]
    assert fetched["Content-Type"] == "image/png"


def test_the_same_message_again_is_the_same_message(browser: Browser, say: Say) -> None:
    identity = uploaded(browser)
    first = say("look", files=[identity], client_id="c1")
    assert say("look", files=[identity], client_id="c1").id == first.id
    with pytest.raises(services.DuplicateId):
        say("look", files=[uploaded(browser)], client_id="c1")
    assert Message.objects.count() == 1


@pytest.mark.parametrize("whose", ["a stranger's", "sent before", "none"])
def test_a_message_with_files_that_are_not_its_own_is_not_stored(
    browser: Browser, stranger: Browser, say: Say, whose: str
) -> None:
    identity = uploaded(stranger if whose == "a stranger's" else browser)
    if whose == "sent before":
        say("once", files=[identity])
    before = Message.objects.count()
    with pytest.raises(NotSendable):
        say("look", files=[uploaded(browser), uuid.uuid4() if whose == "none" else identity])
    assert Message.objects.count() == before
    assert Attachment.objects.filter(sent=True).count() == before


ORIGINS = {
    "another site's page": "https://evil.example",
    "a page without an origin": "null",
    "no browser": None,
    "a port of its own": "https://shop.example:8443",
    "without encryption": "http://shop.example",
    "a longer name": "https://shop.example.evil.example",
    "a name before": "https://shop.example@evil.example",
    "a file": "file://",
}


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS.keys())
def test_no_other_origin_uploads(browser: Browser, origin: str | None) -> None:
    response = browser.upload(**{"Origin": origin})
    assert (response.status_code, code(response)) == (403, "bad_origin")
    assert "Access-Control-Allow-Origin" not in response
    assert not Attachment.objects.exists()


def test_an_unknown_site_takes_nothing(browser: Browser) -> None:
    for key in ("other", "", None):
        response = browser.upload(**{"X-Kefu-Key": key})
        assert (response.status_code, code(response)) == (403, "bad_key")


def test_a_token_opens_its_own_site_and_origin_alone(browser: Browser, site: Site) -> None:
    Site.objects.create(key="second", name="B", knowledge_base="b", allowed_origins=[ORIGIN, "https://b.example"])
    site.allowed_origins = [ORIGIN, "https://www.shop.example"]
    site.save()
    stolen = [
        {"X-Kefu-Key": "second"},
        {"X-Kefu-Key": "second", "Origin": "https://b.example"},
        {"Origin": "https://www.shop.example"},
        {"Authorization": None},
        {"Authorization": browser.token},
        {"Authorization": f"Basic {browser.token}"},
        {"Authorization": f"Bearer {browser.token[:-1]}"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \u00e4"},
    ]
    for headers in stolen:
        response = browser.upload(**headers)  # type: ignore[arg-type]
        assert (response.status_code, code(response)) == (401, "token_refused"), headers
    assert not Attachment.objects.exists()


def test_an_old_token_uploads_nothing(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "SECONDS", -1)
    assert browser.upload().status_code == 401


def test_an_erased_conversation_takes_nothing(browser: Browser) -> None:
    browser.chat.delete()
    assert (browser.upload().status_code, Attachment.objects.count()) == (401, 0)


def test_cookies_neither_help_nor_are_set(browser: Browser) -> None:
    User.objects.create_superuser("root", password="p")
    browser.client.force_login(User.objects.get(), backend=settings.AUTHENTICATION_BACKENDS[-1])
    assert browser.upload(Authorization=None).status_code == 401
    response = browser.upload()
    assert response.status_code == 201
    assert not response.cookies


def test_the_answer_may_be_read_by_that_origin_alone(browser: Browser) -> None:
    for response in (browser.upload(), browser.upload("a.exe"), browser.upload(Authorization=None)):
        assert response["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in response["Vary"]
        assert "Access-Control-Allow-Credentials" not in response


def test_a_preflight_allows_the_sites_origins_and_no_others(browser: Browser) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-kefu-key"}
    allowed = browser.client.options("/files/", headers={"Origin": ORIGIN, **asked})
    assert (allowed.status_code, allowed["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert allowed["Access-Control-Allow-Methods"] == "POST"
    assert allowed["Access-Control-Allow-Headers"] == "Authorization, X-Kefu-Key"
    for origin in (o for o in ORIGINS.values() if o):
        refused = browser.client.options("/files/", headers={"Origin": origin, **asked})
        assert "Access-Control-Allow-Origin" not in refused
        assert "Access-Control-Allow-Headers" not in refused


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_there_is_no_other_way_in(browser: Browser, method: str) -> None:
    response = getattr(browser.client, method)("/files/", headers={"Authorization": f"Bearer {browser.token}"})
    assert response.status_code == 405


def test_a_site_that_wants_no_files_takes_none(browser: Browser, site: Site) -> None:
    Site.objects.filter(pk=site.pk).update(widget={"uploads": False})
    response = browser.upload()
    assert (response.status_code, code(response), Attachment.objects.count()) == (403, "not_offered", 0)


REFUSED = {
    "a program": (("a.exe", b"MZ"), 415, "file_type"),
    "a page as a picture": (("a.png", b"<html>"), 415, "file_mismatch"),
    "nothing": (("a.png", b""), 400, "file_empty"),
    "half a picture": (("a.png", picture("PNG")[:40]), 400, "file_damaged"),
    "too large": (("a.txt", b"a" * 2001), 413, "file_too_big"),
    "much too large": (("a.txt", b"a" * 9_000_000), 413, "file_too_big"),
}


@pytest.mark.parametrize("language", ["zh-CN,zh;q=0.9", "en-GB", ""])
@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_why_in_the_customers_language(
    browser: Browser, web: SimpleNamespace, case: str, language: str
) -> None:
    web.rules = Rules(most_bytes=2000)
    (name, data), status, error = REFUSED[case]
    response = browser.upload(name, data, **{"Accept-Language": language})
    assert (response.status_code, code(response)) == (status, error)
    message = response.json()["message"]  # type: ignore[attr-defined]
    assert any("\u4e00" <= c <= "\u9fff" for c in message) == language.startswith("zh")
    assert not Attachment.objects.exists()


def test_one_file_at_a_time(browser: Browser) -> None:
    two = {"a": SimpleUploadedFile("a.png", picture("PNG")), "b": SimpleUploadedFile("b.png", picture("PNG"))}
    assert code(browser.post(two)) == "too_many_files"
    assert code(browser.post({"file": "no file"})) == "file_empty"
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a; filename=a.png\r\n"),
        ("multipart/form-data; boundary=x", b"--x" * 1000),
        ("multipart/form-data; boundary=" + "x" * 1000, b""),
        ("multipart/form-data; boundary=\u00e4", b""),
    ],
)
def test_a_body_that_is_no_form_is_refused(browser: Browser, content_type: str, body: bytes) -> None:
    headers = {"Origin": ORIGIN, "Authorization": f"Bearer {browser.token}", "X-Kefu-Key": "shop"}
    response = browser.client.generic("POST", "/files/", body, content_type, headers=headers)
    assert response.status_code == 400
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("scope", ["visitor", "ip", "site"])
def test_uploads_have_their_rate(browser: Browser, web: SimpleNamespace, scope: Any) -> None:
    web.rates = {("upload", scope): Rate(1, 2)}
    assert [browser.upload().status_code for _ in range(3)] == [201, 201, 429]
    response = browser.upload()
    assert code(response) == ("busy" if scope == "site" else "too_fast")
    assert int(response["Retry-After"]) >= 1


def test_guessing_at_the_door_has_its_rate(browser: Browser, web: SimpleNamespace) -> None:
    web.rates = {("upload", "ip"): Rate(1, 2)}
    statuses = [browser.upload(**{"X-Kefu-Key": f"guess {number}"}).status_code for number in range(3)]
    assert statuses == [403, 403, 429]


def test_the_days_files_and_the_quota_are_counted(browser: Browser, web: SimpleNamespace) -> None:
    web.rules = Rules(per_day=1)
    assert [browser.upload().status_code, code(browser.upload())] == [201, "file_daily"]
    web.rules = Rules(visitor_bytes=100)
    assert code(browser.upload()) == "file_quota"


def test_without_masking_no_file_is_taken(browser: Browser, web: SimpleNamespace) -> None:
    web.find = FakeFind(MaskingUnavailable("full"))
    response = browser.upload()
    assert (response.status_code, code(response)) == (503, "masking_unavailable")


def test_without_the_scanner_that_should_be_there_no_file_is_taken(
    browser: Browser, web: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    web.scanner = Clamd("127.0.0.1:1")
    response = browser.upload()
    assert (response.status_code, code(response)) == (503, "file_unchecked")
    assert any(record.levelno == logging.ERROR and "127.0.0.1:1" in record.message for record in caplog.records)


NAMES = {
    XSS: "___img src=x onerror=alert(1)_.png",
    "a\u202egnp.png": "agnp.png",
    "a" * 300 + ".png": "a" * 96 + ".png",
    "..\\..\\a.png": "a.png",
    "a\x07b.png": "ab.png",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_harms_is_shown_and_saved_clean(browser: Browser, say: Say, name: str) -> None:
    response = browser.upload(name)
    shown = response.json()["name"]  # type: ignore[attr-defined]
    assert shown == NAMES[name]
    identity = uuid.UUID(response.json()["id"])  # type: ignore[attr-defined]
    assert say("", files=[identity]).files[0]["name"] == shown
    assert shown.replace(" ", "") in browser.get(link(identity, browser))["Content-Disposition"].replace(" ", "")


# --- at the same time


@pytest.mark.django_db(transaction=True)
def test_uploads_at_the_same_time_share_one_allowance(browser: Browser, web: SimpleNamespace) -> None:
    web.rules = Rules(per_day=2)

    def once(number: int) -> int:
        try:
            return Browser(browser.chat).upload().status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(once, range(6))) == [201, 201, 400, 400, 400, 400]
    assert Attachment.objects.count() == len([p for p in settings.ATTACHMENTS.rglob("*") if p.is_file()]) == 2


@pytest.mark.django_db(transaction=True)
def test_a_file_that_comes_while_its_conversation_is_erased_is_not_kept(
    browser: Browser, web: SimpleNamespace, log: EventLog
) -> None:
    class Erases(FakeFind):
        def __call__(self, text: str) -> list[Finding]:
            services.erase_conversation(browser.chat.id, log=log)
            return super().__call__(text)

    web.find = Erases()
    assert browser.upload().status_code == 401
    assert not Attachment.objects.exists()
    assert not VaultKey.objects.exists()
    assert not [path for path in settings.ATTACHMENTS.rglob("*") if path.is_file()]


# --- what the bot does with it


def test_the_bot_is_told_how_many_files_came(browser: Browser, say: Say, log: EventLog) -> None:
    say("look", files=[uploaded(browser), uploaded(browser)])
    last = say("", files=[uploaded(browser)])
    claimed = answering.claim(last.id, log=log)
    assert claimed is not None
    assert (claimed.turn().text, claimed.turn().files) == ("look", 3)


# --- out


def test_pictures_are_shown_and_everything_else_is_saved(browser: Browser, say: Say) -> None:
    for name, data, how in (
        ("a.png", picture("PNG"), "inline"),
        ("a.pdf", pdf(), "attachment"),
        ("a.txt", b"a", "att"),
    ):
        identity = uploaded(browser, name, data)
        say("", files=[identity])
        response = browser.get(link(identity, browser))
        assert response["Content-Disposition"].startswith(how)
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Cache-Control"] == "private, no-store"
        assert "Access-Control-Allow-Origin" not in response


def test_its_customer_saves_it_under_its_name_and_staff_without_personal_data(browser: Browser, say: Say) -> None:
    identity = uploaded(browser, "13800138000.png")
    say("", files=[identity])
    assert '"13800138000.png"' in browser.get(link(identity, browser))["Content-Disposition"]
    agent = User.objects.create_user("agent")
    browser.client.force_login(agent, backend=settings.AUTHENTICATION_BACKENDS[-1])
    staff = link(identity, browser, viewer=Viewer("staff", str(agent.pk)))
    assert '"CN_MOBILE_1.png"' in browser.get(staff)["Content-Disposition"]


def test_nothing_is_said_about_what_is_wrong_with_a_link(
    browser: Browser, stranger: Browser, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsent, identity = uploaded(browser), uploaded(browser)
    say("", files=[identity])
    good = link(identity, browser)
    agent, other = User.objects.create_user("agent"), User.objects.create_user("other")
    values = [identity.hex, browser.chat.id.hex, "customer", str(browser.chat.visitor)]
    wrong = {
        "changed": good[:-3] + ("a" if good[-3] != "a" else "b") + good[-2:],
        "garbage": "/files/garbage/",
        "signed for something else": f"/files/{signing.dumps(values, salt='kefu.visitor')}/",
        "a visitor's token": f"/files/{browser.token}/",
        "not sent": link(unsent, browser),
        "no such file": link(uuid.uuid4(), browser),
        "another conversation": link(identity, browser, conversation=stranger.chat.id),
        "another visitor": link(identity, browser, viewer=Viewer("customer", str(stranger.chat.visitor))),
        "staff, not logged in": link(identity, browser, viewer=Viewer("staff", str(agent.pk))),
    }
    responses = {case: browser.get(url) for case, url in wrong.items()}
    stranger.client.force_login(other, backend=settings.AUTHENTICATION_BACKENDS[-1])
    colleague = link(identity, browser, viewer=Viewer("staff", str(agent.pk)))
    responses["another of the staff"] = stranger.get(colleague)
    monkeypatch.setattr(files, "LINK_SECONDS", -1)
    responses["expired"] = browser.get(good)
    answers = {
        case: (r.status_code, r.content, sorted((n, v) for n, v in r.items() if n != "Vary"))
        for case, r in responses.items()
    }
    assert {answer[0] for answer in answers.values()} == {404}
    assert all(answer == answers["garbage"] for answer in answers.values()), answers


def test_a_link_is_good_for_five_minutes(browser: Browser, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = uploaded(browser)
    say("", files=[identity])
    url, now = link(identity, browser), signing.time.time()
    for seconds, status in ((0, 200), (299, 200), (302, 404)):
        monkeypatch.setattr(signing.time, "time", lambda later=now + seconds: later)
        assert browser.get(url).status_code == status


def test_an_erased_conversations_links_are_dead(browser: Browser, say: Say, log: EventLog) -> None:
    identity = uploaded(browser)
    say("", files=[identity])
    url = link(identity, browser)
    services.erase_conversation(browser.chat.id, log=log)
    assert browser.get(url).status_code == 404
    assert not Attachment.objects.exists()


# --- how much may come at all


def test_only_who_holds_a_token_may_send_much(browser: Browser, web: SimpleNamespace) -> None:
    def scope(path: str = "/files/", **headers: str) -> dict[str, Any]:
        own = {"authorization": f"Bearer {browser.token}", "x-kefu-key": "shop", "origin": ORIGIN} | headers
        return {"path": path, "headers": [(n.encode(), v.encode("latin-1")) for n, v in own.items()]}

    web.rules = Rules(most_bytes=5_000_000)
    assert files.most_bytes(scope()) > 5_000_000
    for poor in (scope(authorization=""), scope(origin="https://evil.example"), scope(**{"x-kefu-key": "b"})):
        assert files.most_bytes(poor) < 100_000
    assert files.most_bytes(scope("/")) < 3_000_000
