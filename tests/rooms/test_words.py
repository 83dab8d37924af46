"""The lexicon desk over a real database: looking, trying, changing, and that nobody writes over anybody."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatbot import wiring
from chatbot.judging import GuardsUnavailable
from chatbot.models import Conversation, Message, Review, Site
from console import audit
from console.models import AuditEntry
from guardrails import lists
from guardrails.levels import services as levels
from guardrails.lexicon import Lexicon, Word, WordList
from guardrails.lexicon.words import shipped
from rooms.words import selectors, trying
from tests.console.conftest import staff
from tests.fakes import FakeFind, FakeJudging

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def web(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The parts of a web process; its lexicon is the database's, at once."""
    kept: list[Lexicon] = []

    def lexicon() -> Lexicon:
        kept[:] = [lists.load(kept[0] if kept else None)]
        return kept[0]

    parts = SimpleNamespace(judging=FakeJudging(), masking=FakeFind())
    monkeypatch.setattr(wiring, "lexicon", lexicon)
    monkeypatch.setattr(wiring, "judging", lambda: parts.judging)
    monkeypatch.setattr(wiring, "masking", lambda: SimpleNamespace(find=parts.masking))
    return parts


@pytest.fixture
def sue(site: Site) -> Client:
    return signed_in(staff("sue", "supervisor"))


@pytest.fixture
def rui(site: Site) -> Client:
    return signed_in(staff("rui", "reviewer"))


@pytest.fixture
def small(site: Site) -> str:
    """A list with three words, live."""
    rows = [("zorblax", "block", "fraud"), ("quibnar", "review", "abuse"), ("zorblax seven", "allow", "")]
    lists.add("small", rows, who="seed", what="seed")
    return "small"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def said(site: Site, *texts: str) -> None:
    chat = Conversation.objects.create(site=site, visitor="00000000-0000-4000-8000-000000000001")
    for text in texts:
        Message.objects.create(conversation=chat, role="customer", text=text)


def put(client: Client, name: str, text: str, level: str = "block", **more: str) -> Any:
    return client.post(f"/staff/words/put/{name}/", {"text": text, "level": level, "category": "fraud", **more})


def acts() -> list[str]:
    """What the audit log says of lists and levels, oldest first."""
    found = AuditEntry.objects.filter(object_type="word_list", actor_name="sue").order_by("id")
    return list(found.values_list("action", flat=True))


# --- looking


def test_the_lists_show_their_levels_and_state(sue: Client, small: str) -> None:
    answer = sue.get("/staff/words/")
    rows = {row["list"].name: row for row in answer.context["lists"]}
    assert rows["kefu"]["state"] == "Live, as shipped"
    assert rows["kefu"]["list"].counts["block"] == sum(word.level == "block" for word in shipped().words)
    assert rows["small"]["state"] == "Live, version 1"
    assert rows["small"]["list"].counts == {"block": 1, "review": 1, "allow": 1}
    lists.deactivate("small", who="sue")
    rows = {row["list"].name: row for row in sue.get("/staff/words/").context["lists"]}
    assert rows["small"]["state"] == "Off"
    assert rows["small"]["list"].counts == {"block": 1, "review": 1, "allow": 1}


def test_a_word_is_found_in_all_live_lists_and_pages_turn(
    sue: Client, small: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sue.get("/staff/words/", {"q": "ZORB"}).context["rows"]
    assert [(row["row"].list, row["row"].text) for row in found] == [("small", "zorblax"), ("small", "zorblax seven")]
    assert "No live list has" in sue.get("/staff/words/", {"q": "nothing like it"}).content.decode()
    monkeypatch.setattr(selectors, "PAGE", 2)
    for name in ("small", "kefu"):
        pages = [sue.get(f"/staff/words/list/{name}/", {"page": str(n)}).context["rows"] for n in (1, 2)]
        texts = [row["row"].text for page in pages for row in page]
        assert len(texts) == len(set(texts)) == (3 if name == "small" else 4)
    # A search goes on from the files into the database.
    everything = [row.text for n in range(1, 9) for row in selectors.rows(search="zorblax", page=n)[0]]
    assert everything == ["zorblax", "zorblax seven"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"level": "block"}, ["zorblax"]),
        ({"level": "allow"}, ["zorblax seven"]),
        ({"q": "qui"}, ["quibnar"]),
        ({"level": "nonsense"}, ["zorblax", "quibnar", "zorblax seven"]),
        ({"q": "none"}, []),
    ],
)
def test_a_list_is_filtered(rui: Client, small: str, query: dict[str, str], expected: list[str]) -> None:
    found = rui.get(f"/staff/words/list/{small}/", query).context["rows"]
    assert [row["row"].text for row in found] == expected


def test_there_is_no_list_of_another_name(rui: Client) -> None:
    assert rui.get("/staff/words/list/nothing/").status_code == 404


def test_a_text_is_explained_by_list_level_and_normalised_form(rui: Client, small: str) -> None:
    answer = rui.post("/staff/words/look/", {"text": "A z-o-r-b-l-a-x and zorblax seven."})
    text = answer.content.decode()
    hits = {
        (hit["found"].said, hit["row"].text, hit["row"].list, hit["found"].allowed) for hit in answer.context["hits"]
    }
    assert hits == {("z-o-r-b-l-a-x", "zorblax", "small", False), ("zorblax", "zorblax", "small", True)}
    assert '<mark class="block">z-o-r-b-l-a-x</mark>' in text
    assert "excused by an allowed phrase" in text
    assert answer.context["found"].normalised == "a z o r b l a x and zorblax seven"
    assert answer.context["verdict"].action == "block"


def test_the_models_are_asked_with_the_text_masked(rui: Client, web: SimpleNamespace) -> None:
    answer = rui.post("/staff/words/look/", {"text": "roughword 13800138000"})
    assert web.judging.asked == ["roughword <CN_MOBILE_1>"]
    assert "offensive language" in answer.content.decode()
    web.judging.failure = GuardsUnavailable("late")
    assert "cannot be asked" in rui.post("/staff/words/look/", {"text": "roughword"}).content.decode()


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
def test_what_cannot_be_looked_at_is_refused_in_plain_words(rui: Client, text: str) -> None:
    answer = rui.post("/staff/words/look/", {"text": text})
    assert answer.status_code == 422
    assert answer["Content-Type"].startswith("text/plain")


# --- trying


def test_a_word_is_tried_on_real_messages_and_changes_nothing(
    rui: Client,
    site: Site,
    other_site: Site,
) -> None:
    said(site, "Do you sell gloomits?", "Thanks a lot.", "gloomits again")
    said(other_site, "gloomits elsewhere")
    before = lists.newest()
    answer = rui.post("/staff/words/try/", {"list": "kefu", "text": "gloomits", "level": "block", "category": "fraud"})
    tried = answer.context["tried"]
    assert (tried.texts, tried.stricter, tried.freed) == (3, 2, 0)
    text = answer.content.decode()
    assert '<mark class="block">gloomits</mark>' in text
    assert "Save it" not in text, "a reviewer looks, a supervisor changes"
    assert lists.newest() == before


def test_taking_a_word_out_or_switching_a_list_off_is_tried_too(sue: Client, small: str, site: Site) -> None:
    said(site, "zorblax!", "quibnar!", "hello")
    gone = sue.post("/staff/words/try/", {"list": small, "text": "zorblax", "level": "block", "without": "1"})
    assert gone.context["tried"].freed == 1
    assert "Save it" in gone.content.decode()
    off = sue.post("/staff/words/try/", {"version": "small@off"})
    assert off.context["tried"].freed == 2
    lists.add("small", [("hello", "review", "x")], who="sue", what="more", live=False)
    draft = sue.post("/staff/words/try/", {"version": "small@2"})
    assert draft.context["tried"].stricter == 1
    assert "small@2" in sue.get("/staff/words/try/").content.decode()


@pytest.mark.parametrize(
    ("form", "because"),
    [
        ({"list": "kefu", "text": "", "level": "block"}, "Nothing is left to look for"),
        ({"list": "kefu", "text": "...", "level": "block"}, "Nothing is left to look for"),
        ({"list": "kefu", "text": "x" * 201, "level": "block"}, "200 characters"),
        ({"list": "kefu", "text": "word", "level": "eat"}, "Choose a level"),
        ({"list": "none", "text": "word", "level": "block"}, "no such list"),
        ({"version": ""}, "Choose a version"),
        ({"version": "none@3"}, "no such list"),
    ],
)
def test_what_cannot_be_tried_says_why(rui: Client, form: dict[str, str], because: str) -> None:
    answer = rui.post("/staff/words/try/", form)
    assert answer.status_code == 422
    assert because in answer.content.decode()


def test_words_across_the_borders_of_others_are_shown_as_likely_false_alarms() -> None:
    live = [WordList("a", ())]
    changed = [WordList("a", (Word("品牌手", "block", "x", "a"),))]
    tried = trying.attempt(Lexicon.of(live), changed, ["这个品牌手表怎么样"])
    assert [each.word for level in tried.levels for each in level.collisions] == ["品牌手"]
    assert trying.attempt(Lexicon.of(live), live, ["这个品牌手表怎么样"]).moves == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("plain", (("plain", ""),)),
        ("ab zorblax", (("ab ", ""), ("zorblax", "block"))),
        ("zorblax", (("zorblax", "block"),)),
    ],
)
def test_a_text_is_cut_where_words_stand(text: str, expected: trying.Pieces) -> None:
    lexicon = Lexicon([Word("zorblax", "block", "x"), Word("zorblax", "count", "y")])
    assert trying.pieces(text, lexicon.match(text)) == expected


# --- changing


def test_a_word_is_added_changed_and_removed_and_everything_is_kept(sue: Client, small: str) -> None:
    answer = put(sue, small, "gloomits", note="customer complained")
    assert answer.headers["HX-Refresh"] == "true"
    assert wiring.lexicon().judge("gloomits").action == "block"
    put(sue, small, "gloomits", "count", seen="block fraud")
    assert wiring.lexicon().judge("gloomits").action == "pass"
    removed = sue.post(f"/staff/words/remove/{small}/", {"text": "gloomits", "seen": "count fraud"})
    assert "Undo" in removed.content.decode()
    assert wiring.lexicon().match("gloomits") == ()
    put(sue, small, "gloomits", "count", seen="")
    assert len(wiring.lexicon().match("gloomits")) == 1
    assert "customer complained" in sue.get("/staff/words/changes/").content.decode()
    assert acts() == ["words_put", "words_put", "words_remove", "words_put"]
    assert audit.verify() is None


def test_the_shipped_list_is_changed_like_any_other(sue: Client) -> None:
    word = shipped().words[0]
    assert wiring.lexicon().match(word.text)
    sue.post("/staff/words/remove/kefu/", {"text": word.text, "seen": f"{word.level} {word.category}"})
    assert not any(hit.word == word.text for hit in wiring.lexicon().match(word.text))
    summary = selectors.summaries("kefu")[0]
    sue.post("/staff/words/switch/kefu/", {"act": "rollback", "seen": str(summary.change)})
    assert any(hit.word == word.text for hit in wiring.lexicon().match(word.text))


def test_a_word_that_is_there_is_changed_and_not_added_once_more(sue: Client, small: str) -> None:
    answer = put(sue, small, "zorblax", "count", seen="")
    assert answer.status_code == 422
    assert "in this list already" in answer.content.decode()
    assert wiring.lexicon().judge("zorblax").action == "block"


@pytest.mark.parametrize("act", ["put", "remove"])
def test_whoever_saw_an_older_word_is_told_what_the_other_did(sue: Client, small: str, act: str) -> None:
    lists.put(small, "zorblax", "count", "fraud", who="mei", note="too strict")
    answer = sue.post(
        f"/staff/words/{act}/{small}/",
        {"text": "zorblax", "level": "review", "category": "fraud", "seen": "block fraud"},
    )
    assert answer.status_code == 409
    assert "mei has just changed it (count zorblax: too strict)" in answer.content.decode()
    entry = selectors.entry(small, "zorblax")
    assert entry is not None
    assert entry.level == "count"
    assert acts() == []


def test_versions_go_live_and_back_but_not_over_somebody_elses_change(sue: Client, small: str) -> None:
    def switch(act: str, number: str = "", seen: int | None = None) -> Any:
        at = selectors.summaries(small)[0].change if seen is None else seen
        form = {"act": act, "number": number, "seen": str(at)}
        return sue.post(f"/staff/words/switch/{small}/", form)

    lists.add(small, [("gloomits", "block", "x")], who="sue", what="more", live=False)
    assert not wiring.lexicon().match("gloomits")
    switch("activate", "2")
    assert wiring.lexicon().match("gloomits")
    switch("rollback")
    assert not wiring.lexicon().match("gloomits")
    seen = selectors.summaries(small)[0].change
    lists.deactivate(small, who="mei")
    late = switch("activate", "2", seen)
    assert late.status_code == 409
    assert "mei has just changed it" in late.content.decode()
    assert not wiring.lexicon().match("zorblax")
    switch("activate", "1")
    assert wiring.lexicon().match("zorblax")
    assert switch("eat").status_code == 422
    assert switch("activate", "99").status_code == 422
    assert "no earlier live version" in put_back_once_more(sue).content.decode()


def put_back_once_more(client: Client) -> Any:
    lists.add("fresh", [("gloomits", "block", "x")], who="sue", what="new")
    at = selectors.summaries("fresh")[0].change
    return client.post("/staff/words/switch/fresh/", {"act": "rollback", "seen": str(at)})


@pytest.mark.parametrize("path", ["put", "remove", "switch"])
def test_reviewers_look_but_do_not_change(rui: Client, small: str, path: str) -> None:
    assert rui.post(f"/staff/words/{path}/{small}/", {"text": "zorblax", "act": "deactivate"}).status_code == 403
    page = rui.get(f"/staff/words/list/{small}/").content.decode()
    assert "You may look" in page
    assert f"/words/{path}/" not in page


# --- importing


def bring(client: Client, path: str, **more: Any) -> Any:
    form = {"list": "", "name": "spring", "level": "review", "category": "imported", "triage": "1", **more}
    return client.post(f"/staff/words/import/{path}/", form)


LINES = "gloomits\nquibnar\tblock\tabuse\nrefund\nx\n"


def test_a_file_is_previewed_with_what_triage_leaves_out_and_what_it_would_do(sue: Client, site: Site) -> None:
    said(site, "gloomits?", "hello")
    file = SimpleUploadedFile("spring.txt", LINES.encode())
    answer = bring(sue, "preview", file=file)
    assert answer.context["kept"] == 3
    assert ("Only counted", "customers write it every day", 1, ["refund"]) in answer.context["left"]
    assert ("Left out", "too short", 1, ["x"]) in answer.context["left"]
    assert answer.context["tried"].stricter == 1
    assert not any(each.name == "spring" for each in selectors.summaries())


def test_a_file_is_imported_as_a_draft_or_live(sue: Client) -> None:
    answer = bring(sue, "keep", lines=LINES)
    assert answer["HX-Redirect"] == "/staff/words/list/spring/"
    summary = selectors.summaries("spring")[0]
    assert (summary.active, summary.newest) == (None, 1)
    bring(sue, "keep", lines="flumps\n", list="spring", live="1")
    assert wiring.lexicon().judge("flumps").action == "review"
    assert [entry.action for entry in AuditEntry.objects.filter(object_type="word_list").order_by("id")] == [
        "words_import",
        "words_import",
    ]


@pytest.mark.parametrize(
    ("form", "because"),
    [
        ({"lines": ""}, "There are no words in it"),
        ({"lines": LINES, "name": "Bad Name"}, "small letters"),
        ({"lines": LINES, "level": "eat"}, "Choose a level"),
        ({"file": SimpleUploadedFile("a.txt", b"\xff\xfe\x00")}, "not UTF-8"),
        ({"file": SimpleUploadedFile("a.gz", b"no gzip")}, "not UTF-8"),
        ({"lines": '{"nothing": 1}'}, "cannot be read"),
        ({"lines": "a\n" * 10_001}, "More than 10000 lines"),
    ],
    ids=["empty", "name", "level", "bytes", "gzip", "json", "long"],
)
@pytest.mark.parametrize("path", ["preview", "keep"])
def test_what_cannot_be_imported_says_why(sue: Client, form: dict[str, Any], because: str, path: str) -> None:
    if file := form.get("file"):
        file.seek(0)
    answer = bring(sue, path, **form)
    assert answer.status_code == 422
    assert because in answer.content.decode()


# --- levels


def decisions(site: Site, count: int, *, bad: bool, score: float) -> None:
    chat = Conversation.objects.create(site=site, visitor="00000000-0000-4000-8000-000000000002")
    for _ in range(count):
        reply = Message.objects.create(conversation=chat, role="bot", text="x")
        Review.objects.create(
            conversation=chat, reply=reply, direction="in", tier="classifier", score=score, deadline=timezone.now(),
            decision="rejected" if bad else "approved", decided=timezone.now(),
        )  # fmt: skip


def test_too_few_decisions_suggest_nothing(rui: Client, site: Site) -> None:
    decisions(site, 3, bad=True, score=0.7)
    assert "3 decisions so far; 50 are needed" in rui.get("/staff/words/levels/").content.decode()


def test_levels_move_by_a_suggestion_with_a_reason_and_come_back(sue: Client, site: Site) -> None:
    shipped_level = levels.shipped("toxicity")
    decisions(site, 60, bad=False, score=shipped_level.review + 0.01)
    page = sue.get("/staff/words/levels/")
    task = next(one for one in page.context["tasks"] if one["task"] == "toxicity")
    assert float(task["suggested"]["review"]) > shipped_level.review
    assert "Texts just above the review level were approved" in page.content.decode()
    form = {"task": "toxicity", **task["suggested"], "version": "0"}
    assert sue.post("/staff/words/levels/apply/", {**form, "why": " "}).status_code == 422
    assert sue.post("/staff/words/levels/apply/", {**form, "why": "too strict"}).status_code == 204
    assert levels.load().version == 1
    assert sue.post("/staff/words/levels/apply/", {**form, "why": "again"}).status_code == 409, "it is another version"
    back = {"number": "0", "version": "1", "why": "it was not"}
    assert sue.post("/staff/words/levels/back/", back).status_code == 204
    assert levels.load().version == 0
    assert sue.post("/staff/words/levels/back/", back).status_code == 409
    assert [entry.action for entry in AuditEntry.objects.filter(object_type="word_list").order_by("id")] == [
        "levels_apply",
        "levels_rollback",
    ]
    for broken in ({"task": "nothing"}, {"review": "x"}, {"version": ""}):
        assert sue.post("/staff/words/levels/apply/", {**form, "why": "x", **broken}).status_code == 400


ODD = ("a/b\0", "9" * 5000, "²")


@pytest.mark.parametrize("odd", ODD)
def test_what_nobody_types_breaks_nothing(sue: Client, small: str, odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Lexicon.of([lists.version(small, 1)])
    monkeypatch.setattr(wiring, "lexicon", lambda: tiny)
    for path in ("", "list/small/", "changes/", "try/"):
        for field in ("q", "level", "page", "version", "list", "text"):
            assert sue.get(f"/staff/words/{path}", {field: odd}).status_code < 500, (path, field)
    switch = {"act": "activate", "number": "1", "seen": "0"}
    word = {"text": "gloomits", "level": "block", "category": "x", "seen": "", "note": "", "list": small}
    version = {"version": f"{odd}@1"}
    moved = {"task": "toxicity", "review": "0.6", "block": "0.9", "version": "0", "number": "0", "why": "x"}
    for path, form in (
        ("switch/small/", switch), ("put/small/", word), ("remove/small/", word), ("try/", word), ("try/", version),
        ("import/preview/", {**word, "lines": "gloomits"}), ("import/keep/", {**word, "lines": "gloomits"}),
        ("look/", word), ("levels/apply/", moved), ("levels/back/", moved),
    ):  # fmt: skip
        for field in form:
            answer = sue.post(f"/staff/words/{path}", {**form, field: odd})
            assert answer.status_code < 500, (path, field)
    assert sue.post("/staff/words/put/a%00b/", word).status_code == 404


# --- what it costs, and how it reads


@pytest.mark.parametrize("address", ["/staff/words/", "/staff/words/list/small/", "/staff/words/changes/"])
def test_longer_lists_cost_no_more_queries(sue: Client, small: str, address: str) -> None:
    def measured() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert sue.get(address).status_code == 200
        return len(queries)

    lists.add("more0", [("gloomits", "block", "x")], who="sue", what="x")
    few = measured()
    lists.add(small, [(f"gloomit{n}", "block", "x") for n in range(30)], who="sue", what="x")
    for number in range(1, 9):
        lists.add(f"more{number}", [("gloomits", "block", "x")], who="sue", what="x")
    assert measured() == few


@pytest.mark.parametrize(("code", "title"), [("en", "Words"), ("zh-hans", "词库"), ("zh-hant", "詞庫")])
def test_the_pages_speak_three_languages(sue: Client, small: str, site: Site, code: str, title: str) -> None:
    said(site, "zorblax")
    sue.post("/staff/language/", {"language": code, "next": "/"})
    for path in ("", "look/", "try/", "import/", "changes/", "levels/", "list/small/", "?q=zorblax"):
        text = sue.get(f"/staff/words/{path}").content.decode()
        assert title in text, path
        assert "style=" not in text, path


def test_a_part_holds_no_markup_of_what_people_wrote(sue: Client) -> None:
    text = sue.post("/staff/words/look/", {"text": "<script>alert(1)</script>"}).content.decode()
    assert "<script>" not in text
