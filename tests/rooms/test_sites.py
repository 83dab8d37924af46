"""The sites room: what people set of a site, and that nothing of it is lost, doubled or overwritten unseen."""

import json
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatbot import appearance, hours, sites, wiring
from chatbot.events import EventLog
from chatbot.models import Conversation, Site
from console.models import AuditEntry
from knowledge.models import KnowledgeBase
from rooms.sites import look, services, week
from rooms.sites.forms import origin
from tests.console.conftest import MASTER_KEY, chat, log, site, staff  # noqa: F401  fixtures
from tests.console.pages import actions, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(site: Site) -> Client:  # noqa: F811
    return signed_in(staff("root", "administrator"))


def path(site: Site, tab: str = "") -> str:  # noqa: F811
    return f"/staff/sites/{site.pk}/{tab}"


def settings(site: Site, **changes: Any) -> dict[str, Any]:  # noqa: F811
    kept = {
        "seen": services.stamp(site),
        "name": site.name,
        "allowed_origins": "",
        "base": "",
        "new_base": site.knowledge_base,
        "languages": ["zh", "en"],
        "preferred": "zh",
        "answer_within": "120",
    }
    return kept | changes


# --- making and changing


def test_a_new_site_has_a_key_a_base_and_its_embed_code(root: Client) -> None:
    given = {"name": "山货铺 Mountain", "languages": ["zh"], "base": "", "new_base": "mountain"}
    answer = root.post("/staff/sites/new/", given, follow=True)
    made = Site.objects.get(name="山货铺 Mountain")
    assert made.key.startswith("mountain-")
    assert KnowledgeBase.objects.filter(slug="mountain").exists()
    assert f"data-key=&quot;{made.key}&quot;" in answer.content.decode()
    assert "site_made" in actions()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "required"),
        ({"languages": []}, "required"),
        ({"new_base": ""}, "Choose a knowledge base"),
        ({"new_base": "not a slug!"}, "valid"),
    ],
)
def test_a_site_that_cannot_be_is_refused_and_keeps_what_was_typed(
    root: Client, changes: dict[str, Any], said: str
) -> None:
    given = {"name": "A Shop of Mine", "languages": ["en"], "base": "", "new_base": "mine"} | changes
    answer = root.post("/staff/sites/new/", given)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert given["name"] in answer.content.decode()
    assert Site.objects.count() == 1


def test_what_is_set_is_kept_and_recorded(root: Client, site: Site) -> None:  # noqa: F811
    given = settings(
        site,
        name="The Shop ",
        allowed_origins="https://Shop.example/\nhttp://localhost:8000\n\nhttps://shop.example",
        contacts="400 800 1234\nhelp@shop.example",
        bot_name="小云",
        preferred="en",
        answer_within="60",
    )
    assert root.post(path(site, "settings/"), given).status_code == 302
    site.refresh_from_db()
    assert site.allowed_origins == ["https://shop.example", "http://localhost:8000"]
    assert site.contacts == ["400 800 1234", "help@shop.example"]
    assert (site.bot_name, site.answer_within, site.languages) == ("小云", 60, ["en", "zh"])
    entry = AuditEntry.objects.get(action="site_changed")
    assert set(entry.details["fields"]) == {"allowed_origins", "contacts", "bot_name", "answer_within", "languages"}


def test_a_base_without_documents_is_not_exchanged_for_another_by_saving(root: Client, site: Site) -> None:  # noqa: F811
    KnowledgeBase.objects.create(slug="a-first-one", name="A first one")
    page = root.get(path(site, "settings/")).content.decode()
    assert '<option value="shop" selected>' in page
    root.post(path(site, "settings/"), settings(site, base="shop", new_base="", bot_name="x"))
    site.refresh_from_db()
    assert (site.knowledge_base, site.bot_name) == ("shop", "x")


def test_two_managers_do_not_overwrite_each_other_unseen(root: Client, site: Site) -> None:  # noqa: F811
    mine = settings(site, bot_name="Mine")
    Site.objects.filter(pk=site.pk).update(bot_name="Theirs")
    answer = root.post(path(site, "settings/"), mine)
    assert answer.status_code == 409
    assert "Somebody else has changed this site" in answer.content.decode()
    assert "Mine" in answer.content.decode()
    site.refresh_from_db()
    assert site.bot_name == "Theirs"
    again = settings(site, bot_name="Mine")  # knowingly: what the page of before says
    assert again["seen"] in answer.content.decode()
    assert root.post(path(site, "settings/"), again).status_code == 302


def test_a_refused_change_changes_nothing(root: Client, site: Site) -> None:  # noqa: F811
    answer = root.post(path(site, "settings/"), settings(site, allowed_origins="shop.example", bot_name="New"))
    assert answer.status_code == 400
    assert "shop.example" in answer.content.decode()
    site.refresh_from_db()
    assert (site.allowed_origins, site.bot_name) == ([], "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://SHOP.example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://山货.example", "https://xn--eotq75i.example"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_origins_are_written_as_browsers_write_them(line: str, expected: str) -> None:
    assert origin(line) == expected or (line.isascii() is False and origin(line).startswith("https://xn--"))


@pytest.mark.parametrize(
    "line",
    [
        "shop.example",
        "https://shop.example/page",
        "https://*.shop.example",
        "https://a@shop.example",
        "https://shop.example?x",
        "ftp://shop.example",
        "https://",
        "https://shop.example https://other.example",
        "javascript:alert(1)",
        "https://shop.example:99999",
        "*",
    ],
)
def test_what_is_no_origin_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        origin(line)


# --- hours


def form(**lists: list[str]) -> QueryDict:
    given = QueryDict(mutable=True)
    for name, values in lists.items():
        given.setlist(name, values)
    return given


@pytest.mark.parametrize(
    ("lists", "kept"),
    [
        ({"mon_begin": ["09:00"], "mon_end": ["18:00"]}, {"week": {"mon": [["09:00", "18:00"]]}}),
        (
            {"mon_begin": ["09:00", "", "13:00"], "mon_end": ["12:00", "", "18:00"]},
            {"week": {"mon": [["09:00", "12:00"], ["13:00", "18:00"]]}},
        ),
        ({"sun_begin": ["00:00"], "sun_end": ["00:00"]}, {"week": {"sun": [["00:00", "24:00"]]}}),
        ({"fri_begin": ["22:00"], "fri_end": ["02:00"]}, {"week": {"fri": [["22:00", "02:00"]]}}),
        (
            {
                "mon_begin": ["09:00"],
                "mon_end": ["18:00"],
                "day": ["2026-10-01", "", "2026-10-10"],
                "day_begin": ["", "", "10:00"],
                "day_end": ["", "", "14:00"],
            },
            {
                "week": {"mon": [["09:00", "18:00"]]},
                "days": {"2026-10-01": [], "2026-10-10": [["10:00", "14:00"]]},
            },
        ),
    ],
)
def test_a_week_is_read_and_shown_as_it_was_typed(lists: dict[str, list[str]], kept: dict[str, Any]) -> None:
    read = week.read(False, "Asia/Shanghai", form(**lists).getlist)
    assert not read.problems
    assert read.hours == kept | {"zone": "Asia/Shanghai"}
    assert hours.parse(read.hours)
    shown = week.shown(read.hours, "UTC")
    again: dict[str, list[str]] = {"day": [], "day_begin": [], "day_end": []}
    for day, rows in shown.days.items():
        again |= {f"{day}_begin": [row.begin for row in rows], f"{day}_end": [row.end for row in rows]}
    for row in shown.dates:
        for name, value in (("day", row.day), ("day_begin", row.begin), ("day_end", row.end)):
            again[name].append(value)
    assert week.read(False, shown.zone, form(**again).getlist).hours == read.hours


@pytest.mark.parametrize(
    ("zone", "lists", "problem"),
    [
        ("UTC", {}, ("week", "never_open")),
        ("UTC", {"mon_begin": ["09:00"], "mon_end": [""]}, ("mon", "half_span")),
        ("UTC", {"mon_begin": ["09:00"], "mon_end": ["09:00"]}, ("mon", "empty_span")),
        ("Nowhere/At_all", {"mon_begin": ["09:00"], "mon_end": ["18:00"]}, ("zone", "bad_zone")),
        ("", {"mon_begin": ["09:00"], "mon_end": ["18:00"]}, ("zone", "bad_zone")),
        ("UTC", {"mon_begin": ["9 am"], "mon_end": ["18:00"]}, ("dates", "bad_days")),
        ("UTC", {"day": [""], "day_begin": ["09:00"], "day_end": ["10:00"]}, ("dates", "date_missing")),
        ("UTC", {"day": ["tomorrow"], "day_begin": ["09:00"], "day_end": ["10:00"]}, ("dates", "bad_days")),
    ],
)
def test_what_nobody_could_act_on_is_refused_where_it_was_typed(
    zone: str, lists: dict[str, list[str]], problem: tuple[str, str]
) -> None:
    assert problem in week.read(False, zone, form(**lists).getlist).problems


def test_hours_are_kept_and_always_means_no_hours(root: Client, site: Site) -> None:  # noqa: F811
    given = {"seen": services.stamp(site), "when": "weekly", "zone": "Asia/Shanghai"}
    assert root.post(path(site, "hours/"), given).status_code == 400  # never open
    given |= {"mon_begin": "09:00", "mon_end": "18:00"}
    assert root.post(path(site, "hours/"), given).status_code == 302
    site.refresh_from_db()
    assert site.hours == {"zone": "Asia/Shanghai", "week": {"mon": [["09:00", "18:00"]]}, "days": {}} or (
        site.hours == {"zone": "Asia/Shanghai", "week": {"mon": [["09:00", "18:00"]]}}
    )
    given |= {"seen": services.stamp(site), "when": "always"}
    assert root.post(path(site, "hours/"), given).status_code == 302
    site.refresh_from_db()
    assert site.hours == {}


# --- appearance


LOOK = {
    "colour": ["#aa0000"],
    "colour.own": ["on"],
    "side": ["left"],
    "theme": ["dark"],
    "launcher.zh": ["在线客服"],
    "launcher.en": ["Ask us"],
    "greeting.zh": [""],
    "greeting.en": ["Hello!"],
    "suggested.zh": ["怎么退货？\n\n多久发货？"],
    "suggested.en": [""],
    "csat": ["on"],
    "pre_chat.name": ["", ""],
    "pre_chat.zh": ["订单号", ""],
    "pre_chat.en": ["Order", ""],
    "pre_chat.kind": ["text", "choice"],
    "pre_chat.required": ["yes", "no"],
    "pre_chat.choices": ["", ""],
}


def test_every_field_of_the_appearance_is_in_the_form_and_read_back(root: Client, site: Site) -> None:  # noqa: F811
    assert {one.name for one in look.fields(appearance.Appearance())} == set(appearance.Appearance.model_fields)
    given = LOOK | {"seen": [services.stamp(site)]}
    assert root.post(path(site, "look/"), given).status_code == 302
    site.refresh_from_db()
    kept = appearance.parse(site.widget)
    assert (kept.colour, kept.side, kept.theme, kept.csat, kept.uploads) == ("#aa0000", "left", "dark", True, False)
    assert kept.launcher["zh"] == "在线客服"
    assert kept.suggested["zh"] == ["怎么退货？", "多久发货？"]
    assert [(asked.label["en"], asked.required) for asked in kept.pre_chat] == [("Order", True)]
    page = root.get(path(site, "look/")).content.decode()
    for text in ("#aa0000", "在线客服", "怎么退货？\n多久发货？", "Hello!", 'value="订单号"'):
        assert text in page


def test_an_appearance_that_cannot_be_is_refused_and_kept_in_the_form(root: Client, site: Site) -> None:  # noqa: F811
    given = LOOK | {"pre_chat.kind": ["choice", "text"], "pre_chat.choices": ["just one", ""]}
    given |= {"seen": [services.stamp(site)]}
    answer = root.post(path(site, "look/"), given)
    assert answer.status_code == 400
    assert "just one" in answer.content.decode()
    site.refresh_from_db()
    assert site.widget == {}


def test_the_preview_shows_the_sites_own_chat_and_nothing_foreign(root: Client, site: Site) -> None:  # noqa: F811
    answer = root.get(path(site, "preview/"))
    page = answer.content.decode()
    assert f'data-key="{site.key}"' in page
    assert "style=" not in page
    assert "'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]


# --- secrets, retention, the end


def test_the_user_secret_is_shown_once(root: Client, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(wiring, "master_key", lambda: MASTER_KEY)
    page = root.post(path(site, "secret/")).content.decode()
    site.refresh_from_db()
    made = sites.user_secret(site, master_key=MASTER_KEY)
    assert made
    assert made in page
    for tab in ("", "settings/", "data/"):
        assert made not in root.get(path(site, tab)).content.decode()
    assert made not in json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))
    assert "site_user_secret_made" in actions()


def test_a_shorter_retention_says_what_it_erases_before_it_counts(
    root: Client,
    site: Site,  # noqa: F811
    chat: Conversation,  # noqa: F811
) -> None:
    Conversation.objects.update(updated=timezone.now() - timedelta(days=40))
    given = {"seen": services.stamp(site), "retention_days": "30"}
    answer = root.post(path(site, "data/"), given)
    assert "<strong>1</strong>" in answer.content.decode()
    site.refresh_from_db()
    assert site.retention_days == 0
    for confirmed, days in (("20", 0), ("30", 30)):  # what was confirmed is another number
        root.post(path(site, "data/"), given | {"confirmed": confirmed})
        site.refresh_from_db()
        assert site.retention_days == days
    assert root.post(path(site, "data/"), {"seen": services.stamp(site), "retention_days": "90"}).status_code == 302


def test_a_new_key_ends_the_old_one(root: Client, site: Site) -> None:  # noqa: F811
    root.post(path(site, "key/"))
    site.refresh_from_db()
    assert site.key != "shop"
    assert "site_key_changed" in actions()


def test_a_site_is_deleted_with_its_conversations_once_its_name_is_typed(
    root: Client,
    site: Site,  # noqa: F811
    chat: Conversation,  # noqa: F811
    log: EventLog,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wiring, "event_log", lambda: log)
    dropped: list[Any] = []
    monkeypatch.setattr(wiring, "answer_store", lambda: SimpleNamespace(drop_conversation=dropped.append))
    root.post(path(site, "delete/"), {"name": "Another"})
    site.refresh_from_db()
    assert site.key == "shop"
    assert Conversation.objects.exists()
    root.post(path(site, "delete/"), {"name": "The Shop"})
    assert not Site.objects.exists()
    assert not Conversation.objects.exists()
    assert dropped == [chat.pk]
    assert {"site_deletion_begun", "site_deleted"} <= set(actions())


def test_a_deletion_that_takes_longer_goes_on_where_it_stopped(
    site: Site,  # noqa: F811
    log: EventLog,  # noqa: F811
) -> None:
    boss = staff("root", "administrator")
    for _ in range(3):
        Conversation.objects.create(site=site, visitor="00000000-0000-4000-8000-000000000000")
    left = [services.delete_some(boss, site.pk, log=log, also=[], seconds=0) for _ in range(2)]
    refused = signed_in(boss).post(path(site, "key/"), follow=True).content.decode()
    assert "gets no new key" in refused or "不能再启用新的密钥" in refused
    assert services.is_ending(Site.objects.get())
    left.append(services.delete_some(boss, site.pk, log=log, also=[], seconds=0))
    assert left == [2, 1, 0]
    assert actions().count("site_deletion_begun") == 1


def test_a_long_deletion_shows_how_far_it_is_and_ends_at_the_list(
    root: Client,
    site: Site,  # noqa: F811
    log: EventLog,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wiring, "event_log", lambda: log)
    monkeypatch.setattr(wiring, "answer_store", lambda: SimpleNamespace(drop_conversation=lambda _: None))
    monkeypatch.setattr(services, "delete_some", partial(services.delete_some, seconds=0))
    for _ in range(3):
        Conversation.objects.create(site=site, visitor="00000000-0000-4000-8000-000000000000")
    whole = root.post(path(site, "delete/"), {"name": "The Shop"}).content.decode()
    assert "<strong>2</strong>" in whole
    assert "<html" in whole
    piece = root.post(path(site, "delete/"), headers={"HX-Request": "true"}).content.decode()
    assert "<strong>1</strong>" in piece
    assert "<html" not in piece
    last = root.post(path(site, "delete/"), headers={"HX-Request": "true"})
    assert (last.status_code, last["HX-Redirect"]) == (204, "/staff/sites/")
    assert not Site.objects.exists()


# --- pages


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
@pytest.mark.parametrize("tab", ["", "settings/", "hours/", "look/", "data/", "preview/"])
def test_pages_render_in_every_language(root: Client, site: Site, language: str, tab: str) -> None:  # noqa: F811
    root.cookies["django_language"] = language
    answer = root.get(path(site, tab))
    assert answer.status_code == 200
    assert "style=" not in answer.content.decode()
    assert root.get("/staff/sites/").status_code == root.get("/staff/sites/new/").status_code == 200


def test_a_list_of_thirty_takes_as_many_queries_as_one_of_three(root: Client) -> None:
    counts = []
    for number in (3, 30):
        for n in range(Site.objects.count(), number):
            made = Site.objects.create(key=f"k{n}", name=f"متجر {n}", knowledge_base="x")
            Conversation.objects.create(site=made, visitor="00000000-0000-4000-8000-000000000000")
        with CaptureQueriesContext(connection) as queries:
            assert root.get("/staff/sites/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_site_is_found_by_its_name_and_key(root: Client, site: Site) -> None:  # noqa: F811
    for wanted, found in (("hop", True), ("The Sh", True), ("nothing", False), ("\0", True)):
        assert ("<bdi>The Shop</bdi>" in root.get("/staff/sites/", {"q": wanted}).content.decode()) is found


def test_only_administrators_come_here(site: Site) -> None:  # noqa: F811
    boss = signed_in(staff("boss", "supervisor"))
    for tab in ("", "settings/", "data/"):
        assert boss.get(path(site, tab)).status_code == 403
    for act in ("secret/", "key/", "delete/"):
        assert boss.post(path(site, act)).status_code == 403
    assert Site.objects.get().key == "shop"
