"""Who may do what: every address and every frame, for every role, on one's own, others' and other sites' things.

Addresses and frames are read from the routes and the protocols: one that is new has no row here, and the test fails.
What is expected is written out by hand, not derived from the rules.
"""

import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from chatbot import protocol as customer_protocol
from chatbot.models import Conversation, Message, Review, Site
from console import consumers, protocol
from tests.console.conftest import (  # noqa: F401  fixtures
    Console,
    chat,
    cookie_of,
    log,
    off_loop,
    other_site,
    queue,
    service_threads,
    site,
    staff,
    web,
)

pytestmark = pytest.mark.django_db(transaction=True)

ROLES = ("agent", "reviewer", "knowledge_manager", "supervisor", "administrator")
STRANGERS = ("stranger", "no role", "retired", "half signed in")
EVERYBODY = {*ROLES, *STRANGERS}


# --- addresses

OPEN = EVERYBODY
SIGNED_IN = {*ROLES, "no role"}
PAGES: dict[str, set[str]] = {
    "demo": OPEN,
    "healthz": OPEN,
    "readyz": OPEN,
    "metrics": OPEN,
    "look": OPEN,
    "upload": set(),  # only with a visitor's token: no session helps
    "download": set(),  # only with a signed link: no session helps
    "staff:login": OPEN,
    "staff:logout": OPEN,
    "staff:language": OPEN,
    "staff:home": SIGNED_IN,
    "staff:password": SIGNED_IN,
    "staff:two_factor": SIGNED_IN,
    "staff:code": {*SIGNED_IN, "half signed in"},
    "staff:enrol": SIGNED_IN,
    "staff:disable": SIGNED_IN,
    "staff:recovery_codes": SIGNED_IN,
    "staff:audit": {"supervisor", "administrator"},
    "rooms:inbox": {"agent", "supervisor", "administrator"},
    "rooms:inbox_canned": {"agent", "supervisor", "administrator"},
    "rooms:inbox_canned_add": {"agent", "supervisor", "administrator"},
    "rooms:inbox_canned_change": {"agent", "supervisor", "administrator"},
    "rooms:inbox_canned_remove": {"agent", "supervisor", "administrator"},
    "rooms:inbox_canned_told": {"agent", "supervisor", "administrator"},
    "rooms:inbox_suggest": {"agent", "supervisor", "administrator"},
    "rooms:inbox_report": {*ROLES},
    "rooms:inbox_file": {"agent", "supervisor", "administrator"},
    "rooms:review": {"reviewer", "supervisor", "administrator"},
    "rooms:words": {"reviewer", "supervisor", "administrator"},
    "rooms:review_queue": {"reviewer", "supervisor", "administrator"},
    "rooms:review_next": {"reviewer", "supervisor", "administrator"},
    "rooms:review_history": {"reviewer", "supervisor", "administrator"},
    "rooms:review_case": {"reviewer", "supervisor", "administrator"},
    "rooms:review_decide": {"reviewer", "supervisor", "administrator"},
    "rooms:review_undo": {"reviewer", "supervisor", "administrator"},
    "rooms:words_look": {"reviewer", "supervisor", "administrator"},
    "rooms:words_try": {"reviewer", "supervisor", "administrator"},
    "rooms:words_changes": {"reviewer", "supervisor", "administrator"},
    "rooms:words_levels": {"reviewer", "supervisor", "administrator"},
    "rooms:words_list": {"reviewer", "supervisor", "administrator"},
    "rooms:words_import": {"supervisor", "administrator"},
    "rooms:words_preview": {"supervisor", "administrator"},
    "rooms:words_keep": {"supervisor", "administrator"},
    "rooms:words_levels_apply": {"supervisor", "administrator"},
    "rooms:words_levels_back": {"supervisor", "administrator"},
    "rooms:words_put": {"supervisor", "administrator"},
    "rooms:words_remove": {"supervisor", "administrator"},
    "rooms:words_switch": {"supervisor", "administrator"},
    "rooms:why_list": {*ROLES},
    "rooms:why": {*ROLES},
    "rooms:why_again": {*ROLES},
    "rooms:knowledge": {*ROLES},
    "rooms:knowledge_base": {*ROLES},
    "rooms:knowledge_rows": {*ROLES},
    "rooms:knowledge_progress": {*ROLES},
    "rooms:knowledge_document": {*ROLES},
    "rooms:knowledge_state": {*ROLES},
    "rooms:knowledge_versions": {*ROLES},
    "rooms:knowledge_compare": {*ROLES},
    "rooms:knowledge_about": {*ROLES},
    "rooms:knowledge_draft": {*ROLES},
    "rooms:knowledge_examining": {*ROLES},
    "rooms:knowledge_live": {*ROLES},
    "rooms:knowledge_releases": {*ROLES},
    "rooms:knowledge_changes": {*ROLES},
    "rooms:knowledge_try": {*ROLES},
    "rooms:knowledge_golden": {*ROLES},
    "rooms:knowledge_gaps": {*ROLES},
    "rooms:knowledge_radar": {*ROLES},
    "rooms:knowledge_settings": {*ROLES},
    "rooms:knowledge_intents": {"knowledge_manager", "administrator"},
    "rooms:knowledge_train": {"knowledge_manager", "administrator"},
    "rooms:knowledge_activate": {"knowledge_manager", "administrator"},
    "rooms:knowledge_intent": {"knowledge_manager", "administrator"},
    "rooms:knowledge_utterances": {"knowledge_manager", "administrator"},
    "rooms:knowledge_upload": {"knowledge_manager", "administrator"},
    "rooms:knowledge_preview": {"knowledge_manager", "administrator"},
    "rooms:knowledge_cancel": {"knowledge_manager", "administrator"},
    "rooms:knowledge_retry": {"knowledge_manager", "administrator"},
    "rooms:knowledge_job": {"knowledge_manager", "administrator"},
    "rooms:knowledge_source": {"knowledge_manager", "administrator"},
    "rooms:knowledge_chunk": {"knowledge_manager", "administrator"},
    "rooms:knowledge_restore": {"knowledge_manager", "administrator"},
    "rooms:knowledge_findings": {"knowledge_manager", "administrator"},
    "rooms:knowledge_retire": {"knowledge_manager", "administrator"},
    "rooms:knowledge_bring_back": {"knowledge_manager", "administrator"},
    "rooms:knowledge_examine": {"knowledge_manager", "administrator"},
    "rooms:knowledge_golden_keep": {"knowledge_manager", "administrator"},
    "rooms:knowledge_golden_import": {"knowledge_manager", "administrator"},
    "rooms:knowledge_golden_edit": {"knowledge_manager", "administrator"},
    "rooms:knowledge_golden_drop": {"knowledge_manager", "administrator"},
    "rooms:knowledge_golden_again": {"knowledge_manager", "administrator"},
    "rooms:knowledge_gap_answer": {"knowledge_manager", "administrator"},
    "rooms:knowledge_gap_dismiss": {"knowledge_manager", "administrator"},
    "rooms:knowledge_gap_reopen": {"knowledge_manager", "administrator"},
    "rooms:knowledge_radar_dismiss": {"knowledge_manager", "administrator"},
    "rooms:knowledge_radar_restore": {"knowledge_manager", "administrator"},
    "rooms:knowledge_prove": {"knowledge_manager", "administrator"},
    "rooms:knowledge_purge": {"knowledge_manager", "administrator"},
    "rooms:knowledge_publish": {"knowledge_manager", "administrator"},
    "rooms:knowledge_back": {"knowledge_manager", "administrator"},
    "rooms:insights": {"supervisor", "administrator"},
    "rooms:insights_csv": {"supervisor", "administrator"},
    "rooms:insights_json": {"supervisor", "administrator"},
    "rooms:sites": {"administrator"},
    "rooms:site_new": {"administrator"},
    "rooms:site": {"administrator"},
    "rooms:site_settings": {"administrator"},
    "rooms:site_hours": {"administrator"},
    "rooms:site_look": {"administrator"},
    "rooms:site_preview": {"administrator"},
    "rooms:site_data": {"administrator"},
    "rooms:site_secret": {"administrator"},
    "rooms:site_key": {"administrator"},
    "rooms:site_delete": {"administrator"},
    "rooms:people": {"administrator"},
    "rooms:person_new": {"administrator"},
    "rooms:person": {"administrator"},
    "rooms:person_act": {"administrator"},
    "rooms:system": {"administrator"},
    "rooms:system_health": {"administrator"},
    "rooms:system_options": {"administrator"},
    "rooms:system_records": {"administrator"},
    "rooms:system_programs": {"administrator"},
    "rooms:system_revoke": {"administrator"},
    "rooms:welcome": {"administrator"},
    "rooms:welcome_leave": {"administrator"},
    "rooms:welcome_documents": {"administrator"},
    "rooms:welcome_step": {"administrator"},
}
"""By route; everything of Django's admin is administrators' alone."""
PROGRAMS = {"api:openapi-json": OPEN, "api:openapi-view": OPEN}
"""The rest of the API takes a token and no session: tests/api/test_routes.py has its rows."""
SOME_ID = "00000000-0000-4000-8000-000000000001"
"""Of nothing that there is: whoever may look is told so, everybody else is refused before."""
NO_ROW_OF_ITS_OWN = {"admin:jsi18n", "admin:login", "admin:logout"}


def routes(resolver: URLResolver | None = None, namespace: str = "", path: str = "/") -> Iterator[tuple[str, str]]:
    """Yield name and address of every route, with something in place of its arguments."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern, inner, path + address(pattern))
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", path + address(pattern)


def _record(name: str) -> bool:
    """Say whether it is an address at which Django's admin adds, changes or deletes: many things nobody may change."""
    return name.startswith("admin:") and name != "admin:index" and not name.endswith("_changelist")


def address(pattern: URLPattern | URLResolver) -> str:
    text = str(pattern.pattern)
    if text.startswith("^"):  # the admin's list of applications, and what it does not know
        return "chatbot/" if "app_label" in text else "nothing"
    parts = [(SOME_ID if part.startswith("<uuid:") else "1" if part[:1] == "<" else part) for part in text.split("/")]
    return "/".join(parts)


def clients(site: Site) -> dict[str, Client]:  # noqa: F811
    made = {role: signed_in(staff(role, role)) for role in ROLES}
    made |= {"stranger": Client(), "no role": signed_in(User.objects.create_user("no role"))}
    retired, half = staff("retired", "administrator"), staff("half", "administrator")
    made |= {"retired": signed_in(retired), "half signed in": signed_in(half)}
    User.objects.filter(pk=retired.pk).update(is_active=False)
    TOTPDevice.objects.create(user=half, name="phone", confirmed=True)
    return made


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_every_address_opens_to_whom_it_should(site: Site) -> None:  # noqa: F811
    found = dict(routes())
    own = {name for name in found if not name.startswith(("admin:", "api:"))}
    assert own == set(PAGES), "a route without a row, or a row without a route"
    wrong = []
    for role, client in clients(site).items():
        for name, where in found.items():
            if name in NO_ROW_OF_ITS_OWN or (role == "administrator" and _record(name)):
                continue
            if name.startswith("api:"):
                expected = role in PROGRAMS.get(name, set())
            else:
                expected = role in PAGES[name] if name in PAGES else role == "administrator"
            answer = client.get(where)
            away = answer.status_code == 302 and answer["Location"].startswith(("/staff/login/", "/staff/two-factor/"))
            opened = answer.status_code not in (401, 403) and not away
            if name in ("upload", "download") or name.startswith("api:"):
                opened = answer.status_code < 400
            if opened != expected:
                wrong.append((role, name, answer.status_code, answer.headers.get("Location")))
    assert not wrong


# --- frames of staff

OWN, FREE, OTHERS, ABROAD = "own", "free", "another agent's", "another site's"
HERE = {OWN, FREE, OTHERS}
ALL = {*HERE, ABROAD}
NOWHERE: set[str] = set()
FRAMES: dict[str, dict[str, set[str]]] = {
    "watch": {"agent": HERE, "reviewer": HERE, "supervisor": HERE, "administrator": ALL},
    "unwatch": {"agent": ALL, "reviewer": ALL, "supervisor": ALL, "administrator": ALL},  # of one's own socket only
    "customer": {"agent": HERE, "reviewer": HERE, "supervisor": HERE, "administrator": ALL},
    "tag": {"agent": HERE, "reviewer": HERE, "supervisor": HERE, "administrator": ALL},
    "take": {"agent": HERE, "reviewer": NOWHERE, "supervisor": HERE, "administrator": ALL},
    "transfer": {"agent": {OWN}, "reviewer": NOWHERE, "supervisor": HERE, "administrator": ALL},
    "hand_back": {"agent": {OWN}, "reviewer": NOWHERE, "supervisor": HERE, "administrator": ALL},
    "close": {"agent": {OWN}, "reviewer": NOWHERE, "supervisor": HERE, "administrator": ALL},
    "reply": {"agent": {OWN}, "reviewer": NOWHERE, "supervisor": {OWN}, "administrator": {OWN}},
    "typing": {"agent": {OWN}, "reviewer": NOWHERE, "supervisor": {OWN}, "administrator": {OWN}},
    "note": {"agent": HERE, "reviewer": HERE, "supervisor": HERE, "administrator": ALL},
    "reveal": {"agent": {OWN}, "reviewer": NOWHERE, "supervisor": HERE, "administrator": ALL},
    "decide": {"agent": NOWHERE, "reviewer": HERE, "supervisor": HERE, "administrator": ALL},
}
"""Of one conversation: by frame and role, the conversations for which it is no breach of the rules."""
GENERAL: dict[str, set[str]] = {
    "inbox": {"agent", "reviewer", "supervisor", "administrator"},
    "counts": {"agent", "reviewer", "supervisor", "administrator"},
    "team": {"agent", "reviewer", "supervisor", "administrator"},
    "available": {"agent", "supervisor", "administrator"},
    "reviews": {"reviewer", "supervisor", "administrator"},
}
FIELDS: dict[str, dict[str, Any]] = {
    "transfer": {"to": "agent"},
    "reply": {"text": "Hello."},
    "note": {"text": "Hello."},
    "tag": {"name": "vip"},
    "reveal": {"placeholder": "<CN_MOBILE_1>", "why": "to call back"},
    "available": {"available": False},
    "decide": {"decision": "reject"},
}
BREACHES = {"not_allowed", "not_found"}


def types(frames: Any) -> set[str]:
    return {get_args(frame.model_fields["type"].annotation)[0] for frame in get_args(frames)}


def test_every_frame_of_staff_has_a_row() -> None:
    assert types(protocol.AnyFrame) == {*FRAMES, *GENERAL, "hello", "ping"}


def conversation(kind: str, me: User, other: User, here: Site, abroad: Site) -> Conversation:
    """Make a conversation, with a value in its vault."""
    from guardrails import vault
    from guardrails.personal_data.finding import Finding
    from tests.console.conftest import MASTER_KEY

    agent = {OWN: me, OTHERS: other}.get(kind)
    made = Conversation.objects.create(
        site=abroad if kind == ABROAD else here,
        visitor=uuid.uuid4(),
        owner="agent" if agent else "bot",
        agent=agent,
        sequence_ceiling=1000,
    )
    vault.mask(made.id, "13800138000", [Finding("CN_MOBILE", 0, 11, 1.0)], master_key=MASTER_KEY)
    return made


def pending_review(about: Conversation) -> Review:
    """Make a review of a message there."""
    asked = Message.objects.create(conversation=about, role="customer", text="Hello?", outcome="review")
    reply = Message.objects.create(conversation=about, role="bot", text="Wait.", outcome="review", reply_to=asked)
    review = Review.objects.create(conversation=about, reply=reply, direction="in", deadline=timezone.now())
    review.messages.add(asked)
    return review


async def breaches(console: Console, frame: dict[str, Any]) -> set[str]:
    """Send a frame and return the codes with which it is refused."""
    await console.send(**frame)
    await console.send(type="ping")
    codes = set()
    while (answer := await console.next())["type"] != "pong":
        if answer["type"] == "error":
            codes.add(answer["code"])
    return codes & BREACHES


@pytest.mark.parametrize("role", ["agent", "reviewer", "supervisor", "administrator"])
async def test_every_frame_of_staff_does_what_its_sender_may_and_nothing_else(
    role: str,
    web: SimpleNamespace,  # noqa: F811
    site: Site,  # noqa: F811
    other_site: Site,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "FRAMES_PER_MINUTE", 1e6)
    me, other = await off_loop(staff, "me", role), await off_loop(staff, "agent", "agent")
    console = await Console(await off_loop(cookie_of, me)).open()
    wrong = []
    for type_, rows in FRAMES.items():
        for kind in (OWN, FREE, OTHERS, ABROAD):
            about = await off_loop(conversation, kind, me, other, site, other_site)
            frame = {"type": type_, "conversation": str(about.pk), **FIELDS.get(type_, {})}
            if type_ == "decide":  # it names a review, and so its conversation
                del frame["conversation"]
                frame["review"] = str((await off_loop(pending_review, about)).pk)
            if type_ != "typing":
                frame["id"] = str(uuid.uuid4())
            refused = await breaches(console, frame)
            if (kind in rows[role]) == bool(refused):
                # who may transfer anywhere may do so to those alone who may have it
                abroad_to = type_ == "transfer" and kind == ABROAD and refused == {"not_found"}
                if not abroad_to:
                    wrong.append((type_, kind, refused))
            if kind == ABROAD and refused and refused != {"not_found"} and role != "administrator":
                wrong.append((type_, kind, "says that there is such a conversation"))
    for type_, allowed in GENERAL.items():
        refused = await breaches(console, {"type": type_, "id": str(uuid.uuid4()), **FIELDS.get(type_, {})})
        if (role in allowed) == bool(refused):
            wrong.append((type_, "", refused))
    assert not wrong
    await console.leave()


@pytest.mark.parametrize("role", ["knowledge_manager", *STRANGERS])
async def test_who_may_see_no_conversation_gets_no_console(
    role: str,
    web: SimpleNamespace,  # noqa: F811
    site: Site,  # noqa: F811
) -> None:
    session = (await off_loop(clients, site))[role].cookies.get("sessionid")
    console = Console(f"sessionid={session.value}" if session else "")
    await console.connect()
    await console.send(type="hello", protocol=1)
    assert (await console.closed())[1] == protocol.CLOSE_REFUSED


async def test_an_inbox_holds_conversations_of_ones_own_sites_alone(
    web: SimpleNamespace,  # noqa: F811
    site: Site,  # noqa: F811
    other_site: Site,  # noqa: F811
) -> None:
    for role, expected in (("agent", {"shop"}), ("supervisor", {"shop"}), ("administrator", {"shop", "other"})):
        me = await off_loop(staff, role, role)
        for where in (site, other_site):
            await off_loop(Conversation.objects.create, site=where, visitor=uuid.uuid4())
        console = await Console(await off_loop(cookie_of, me)).open()
        for extra in ({}, {"site": "other"}, {"site": "nothing"}):
            answer = await console.command("inbox", view="all", **extra)
            seen = {row["site"] for row in answer["conversations"]}
            assert seen == (expected if not extra else expected & {extra["site"]})
        await console.leave()


# --- frames of customers: none names a conversation; what names something else is checked where it is tested

CUSTOMERS = {
    "hello": "the token names the conversation: tests/chatbot/test_admission.py, test_consumers.py",
    "say": "goes into the socket's own conversation; its files: tests/chatbot/test_files.py",
    "edit": "of one's own messages: tests/chatbot/test_editing.py",
    "delete": "of one's own messages: tests/chatbot/test_editing.py",
    "stop": "of the socket's own conversation",
    "profile": "goes into the socket's own conversation",
    "feedback": "of answers in one's own conversation: tests/chatbot/test_opinions.py",
    "rate": "of the socket's own conversation",
    "passage": "of one's own messages' sources, as published: tests/chatbot/test_looking_up.py",
    "related": "of one's own messages: tests/chatbot/test_looking_up.py",
    "earlier": "in one's own conversation: tests/chatbot/test_looking_up.py",
    "link": "of files in one's own conversation: tests/chatbot/test_looking_up.py",
    "transcript": "of the socket's own conversation",
    "ping": "nothing",
}


def test_every_frame_of_customers_has_a_row_and_none_can_name_a_conversation() -> None:
    frames = get_args(customer_protocol.Frame)
    assert {frame.__name__.lower() for frame in frames} == set(CUSTOMERS)
    for frame in frames:
        assert not {"conversation", "visitor", "site"} & set(frame.__dataclass_fields__)
