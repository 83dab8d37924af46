"""The consoles' socket, as agents and as people who mean harm would use it; real redis, database and vault."""

import uuid
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django_otp.plugins.otp_totp.models import TOTPDevice

from chatbot import answering, ownership, services, sockets, wiring
from chatbot.events import EventLog
from chatbot.judging import GuardsUnavailable
from chatbot.limits import TokenBucket
from chatbot.models import Conversation, Handoff, Message, Review, Site
from chatbot.seats import Seats
from chatbot.turn import Record
from console import accounts, consumers, protocol
from console.models import AuditEntry, Note
from guardrails.verdict import Verdict
from tests.console.conftest import HOST, MASTER_KEY, Console, console_of, cookie_of, off_loop, staff
from tests.fakes import Clock, FakeFind, FakeQueue, conclusion
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


def say(chat: Conversation, log: EventLog, queue: FakeQueue, text: str = "Hello?") -> Message:
    return services.receive_message(
        conversation=chat,
        client_id=str(uuid.uuid4()),
        text=text,
        language="en",
        find=FakeFind(),
        master_key=MASTER_KEY,
        log=log,
        enqueue=queue,
    ).message


def acts() -> list[tuple[str, str]]:
    return [
        (entry.actor_name, entry.action)
        for entry in AuditEntry.objects.exclude(action__in=["account_changed", "signed_in"])
    ]


async def done(console: Console, type_: str, chat: Any = None, **fields: Any) -> dict[str, Any]:
    answer = await console.command(type_, chat, **fields)
    assert answer["type"] == "done", answer
    return answer


# --- who may open a console


async def test_an_agent_is_welcomed(web: SimpleNamespace, mei: User) -> None:
    console = await console_of(mei)
    assert (console.welcome["user"], console.welcome["roles"]) == ("mei", ["agent"])
    assert [site["key"] for site in console.welcome["sites"]] == ["shop"]
    assert "take" in console.welcome["may"]
    assert "manage_staff" not in console.welcome["may"]
    await console.leave()


@pytest.mark.parametrize(
    ("cookie", "origin"),
    [
        ("", f"http://{HOST}"),
        ("sessionid=made-up", f"http://{HOST}"),
        ("sessionid=", f"http://{HOST}"),
        ("mei", "https://evil.example"),
        ("mei", f"http://{HOST}.evil.example"),
        ("mei", f"http://evil.example/{HOST}"),
        ("mei", "null"),
        ("mei", ""),
    ],
)
async def test_a_stranger_and_a_foreign_page_are_refused(
    cookie: str, origin: str, web: SimpleNamespace, mei: User
) -> None:
    console = Console(await off_loop(cookie_of, mei) if cookie == "mei" else cookie, origin)
    await console.connect()
    await console.send(type="hello", protocol=1)
    frames, code = await console.closed()
    assert ([frame["code"] for frame in frames], code) == (["not_allowed"], protocol.CLOSE_REFUSED)


async def test_accounts_without_a_role_without_use_and_without_their_second_factor_are_refused(
    web: SimpleNamespace, site: Site, mei: User, tom: User
) -> None:
    plain = await off_loop(User.objects.create_user, "plain")
    retired = await off_loop(staff, "retired", "agent")
    cookies = [await off_loop(cookie_of, user) for user in (plain, retired, mei)]
    await off_loop(User.objects.filter(pk=retired.pk).update, is_active=False)
    await off_loop(TOTPDevice.objects.create, user=mei, name="phone", confirmed=True)
    for cookie in cookies:
        console = Console(cookie)
        await console.connect()
        await console.send(type="hello", protocol=1)
        assert (await console.closed())[1] == protocol.CLOSE_REFUSED


async def test_a_session_that_ends_ends_its_console(
    web: SimpleNamespace, mei: User, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "SESSION_SECONDS", 0.02)
    console = await console_of(mei)
    await off_loop(Session.objects.all().delete)
    _, code = await console.closed()
    assert code == protocol.CLOSE_REFUSED


async def test_a_session_that_cannot_be_looked_up_ends_its_console(
    web: SimpleNamespace, mei: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one failure of the database would leave it open for good, whatever becomes of the account."""

    def away(scope: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(consumers, "SESSION_SECONDS", 0.02)
    console = await console_of(mei)
    monkeypatch.setattr(consumers, "identify", away)
    _, code = await console.closed()
    assert code == consumers.CLOSE_INTERNAL


async def test_who_loses_a_site_sees_nothing_of_it_any_more(
    web: SimpleNamespace,
    mei: User,
    tom: User,
    chat: Conversation,
    other_site: Site,
    log: EventLog,
    queue: FakeQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "SESSION_SECONDS", 0.05)
    console, other = await console_of(mei), await console_of(tom)
    await done(console, "watch", chat)
    await off_loop(mei.staff_member.sites.set, [other_site])
    assert (await done(console, "inbox", view="all"))["conversations"] == [], "at once"
    while sum(frame["type"] == "reload" for frame in console.frames) < 2:  # the first: events have begun to come
        await console.next()
    seen = len(other.frames)
    await off_loop(say, chat, log, queue, "This is between us")
    await done(other, "note", chat, text="and so is this")
    while not any(frame["type"] == "conversation" for frame in other.frames[seen:]):  # if only before `done`
        await other.next()
    assert await console.quiet()
    await console.leave()
    await other.leave()


async def test_who_has_no_role_any_more_lists_nothing(web: SimpleNamespace, mei: User, chat: Conversation) -> None:
    console = await console_of(mei)
    await off_loop(accounts.change, mei, roles=["knowledge_manager"])
    assert (await console.command("inbox", view="all"))["code"] == "not_allowed"
    await console.leave()


async def test_a_reviewer_at_a_console_is_nobody_to_wait_for(
    web: SimpleNamespace, site: Site, mei: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatbot.wiring import presence

    monkeypatch.setattr(consumers, "SESSION_SECONDS", 0.02)
    reviewer = await console_of(await off_loop(staff, "rosa", "reviewer"))
    agent = await console_of(mei)
    await off_loop(accounts.change, await off_loop(User.objects.get, username="rosa"), active=False)
    await reviewer.closed()  # it has been looked at again by then
    assert presence().agents(site.pk) == frozenset({mei.pk})
    await agent.leave()


async def test_an_address_has_so_many_sockets_that_have_not_said_who_they_are(
    web: SimpleNamespace, mei: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = Seats(2)
    monkeypatch.setattr(wiring, "silent_sockets", lambda: seats)
    silent = [Console(), Console()]
    for console in silent:
        await console.connect()
    third = Console()
    await third.connect()
    frames, code = await third.closed()
    assert ([frame["code"] for frame in frames], code) == (["too_fast"], protocol.CLOSE_TOO_FAST)
    await silent[0].leave()
    welcome = await console_of(mei)
    fourth = await console_of(mei)  # whoever has said hello waits no more
    for console in (silent[1], welcome, fourth):
        await console.leave()


async def test_rights_that_end_end_at_the_next_frame(web: SimpleNamespace, mei: User, chat: Conversation) -> None:
    console = await console_of(mei)
    await done(console, "take", chat)
    await off_loop(mei.staff_member.sites.clear)
    answer = await console.command("reply", chat, text="still here")
    assert answer["code"] in ("not_found", "not_allowed")
    assert not await off_loop(Message.objects.filter(role="agent").exists)
    await console.leave()


async def test_silence_and_nonsense_before_the_hello_end_the_socket(
    web: SimpleNamespace, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.02)
    silent = Console()
    await silent.connect()
    assert (await silent.closed())[1] == protocol.CLOSE_NO_HELLO
    monkeypatch.setattr(sockets, "HELLO_SECONDS", PATIENCE)
    forward = Console()
    await forward.connect()
    await forward.send(type="take", id=str(uuid.uuid4()), conversation=str(chat.pk))
    assert (await forward.closed())[1] == protocol.CLOSE_BAD_HELLO


async def test_who_sends_too_much_is_cut_off(web: SimpleNamespace, mei: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "TokenBucket", partial(TokenBucket, clock=Clock()))
    console = await console_of(mei)
    for _ in range(70):
        await console.send(type="ping")
    frames, code = await console.closed()
    assert (frames[-1]["code"], code) == ("too_fast", protocol.CLOSE_TOO_FAST)


async def test_a_frame_that_is_none_is_answered_and_the_console_goes_on(web: SimpleNamespace, mei: User) -> None:
    console = await console_of(mei)
    for text in ("", "{", '{"type": "drop"}', "[" * 60_000):
        await console.send_raw(text)
        assert (await console.wait_for("error"))["code"] == "bad_frame"
    await console.send(type="ping")
    await console.wait_for("pong")
    await console.leave()


# --- a conversation's life


async def test_an_agent_takes_over_writes_and_hands_back(
    web: SimpleNamespace, mei: User, chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    await off_loop(say, chat, log, queue)
    await off_loop(ownership.request_person, conversation_id=chat.id, reason="requested", log=log)
    console = await console_of(mei)
    inbox = await done(console, "inbox", view="waiting")
    [row] = inbox["conversations"]
    assert (row["state"], row["reason"], row["preview"], inbox["more"]) == ("waiting", "requested", "Hello?", None)
    opened = await done(console, "watch", chat)
    assert opened["summary"]["asked"] == ["Hello?"]
    assert (await console.wait_for("event"))["event"]["message"]["text"] == "Hello?"
    await done(console, "take", chat)
    await done(console, "reply", chat, text="Good morning.")
    await done(console, "hand_back", chat)
    seen = [frame["event"] for frame in console.frames if frame["type"] == "event"]
    while not seen or seen[-1].get("message", {}).get("reason") != "left":
        seen.append((await console.wait_for("event"))["event"])
    assert [event["message"]["role"] for event in seen] == ["customer", "system", "agent", "system"]
    assert [event["seq"] for event in seen] == [1, 2, 3, 4]
    assert await off_loop(acts) == [("mei", "take"), ("mei", "reply"), ("mei", "hand_back")]
    await console.leave()


async def test_the_second_of_two_agents_is_told_who_was_first(
    web: SimpleNamespace, mei: User, tom: User, chat: Conversation
) -> None:
    first, second = await console_of(mei), await console_of(tom)
    await done(first, "take", chat)
    answer = await second.command("take", chat)
    assert (answer["code"], answer["owner"]) == ("not_owner", "mei")
    for act in ("hand_back", "close"):
        assert (await second.command(act, chat))["code"] == "not_allowed"
    assert (await second.command("reply", chat, text="hi"))["code"] == "not_allowed"
    await done(first, "transfer", chat, to="tom")
    await done(second, "reply", chat, text="Tom here.")
    assert (await first.command("reply", chat, text="hi"))["code"] == "not_allowed"
    await first.leave()
    await second.leave()


@pytest.mark.parametrize("to", ["nobody", "visitor", "abroad", "retired"])
async def test_a_conversation_goes_to_nobody_who_may_not_have_it(
    to: str, web: SimpleNamespace, mei: User, chat: Conversation, other_site: Site
) -> None:
    await off_loop(User.objects.create_user, "visitor")
    await off_loop(staff, "abroad", "agent", sites=("other",))
    retired = await off_loop(staff, "retired", "agent")
    await off_loop(User.objects.filter(pk=retired.pk).update, is_active=False)
    console = await console_of(mei)
    await done(console, "take", chat)
    assert (await console.command("transfer", chat, to=to))["code"] == "not_found"
    assert (await off_loop(Conversation.objects.get)).agent_id == mei.pk
    await console.leave()


async def test_a_reply_sent_twice_under_its_id_is_one_message(
    web: SimpleNamespace, mei: User, chat: Conversation
) -> None:
    console = await console_of(mei)
    await done(console, "take", chat)
    id_ = str(uuid.uuid4())
    first = await done(console, "reply", chat, id=id_, text="Once.")
    again = await done(console, "reply", chat, id=id_, text="Once.")
    await done(console, "hand_back", chat)
    late = await done(console, "reply", chat, id=id_, text="Once.")
    assert first["message"] == again["message"] == late["message"]
    assert await off_loop(Message.objects.filter(role="agent").count) == 1
    assert (await console.command("reply", chat, text="Twice."))["code"] == "not_allowed"
    await console.leave()


@pytest.mark.parametrize("act", ["reply", "note"])
async def test_another_text_under_a_used_id_is_refused(
    act: str, web: SimpleNamespace, mei: User, chat: Conversation
) -> None:
    console, id_ = await console_of(mei), str(uuid.uuid4())
    await done(console, "take", chat)
    await done(console, act, chat, id=id_, text="The parcel is on its way.")
    assert (await console.command(act, chat, id=id_, text="The parcel is lost."))["code"] == "conflict"
    await done(console, act, chat, id=id_, text="The parcel is on its way.")
    texts = Note.objects.values_list if act == "note" else Message.objects.filter(role="agent").values_list
    assert await off_loop(lambda: list(texts("text", flat=True))) == ["The parcel is on its way."]
    await console.leave()


async def test_the_guards_stand_before_agents_too(web: SimpleNamespace, mei: User, chat: Conversation) -> None:
    console = await console_of(mei)
    await done(console, "take", chat)
    blocked = await console.command("reply", chat, text="you badword", confirmed=True)
    assert (blocked["code"], blocked["categories"]) == ("blocked", ["abuse"])
    warned = await console.command("reply", chat, text="a riskword")
    assert (warned["code"], warned["categories"]) == ("review", ["politics"])
    await done(console, "reply", chat, text="a riskword", confirmed=True)
    assert await off_loop(Message.objects.filter(role="agent").count) == 1
    await console.leave()


async def test_a_workers_models_stand_before_agents_and_see_no_personal_data(
    web: SimpleNamespace, mei: User, chat: Conversation
) -> None:
    console = await console_of(mei)
    await done(console, "take", chat)
    blocked = await console.command("reply", chat, text="you rudeword", confirmed=True)
    assert (blocked["code"], blocked["categories"]) == ("blocked", ["toxicity"])
    warned = await console.command("reply", chat, text="a roughword")
    assert (warned["code"], warned["categories"]) == ("review", ["toxicity"])
    await done(console, "reply", chat, text="a roughword for 13800138000", confirmed=True)
    assert web.judging.asked[-1] == "a roughword for <CN_MOBILE_1>"
    strict = await console.command("reply", chat, text="a riskword, a rudeword", confirmed=True)
    assert strict["code"] == "blocked"
    asked = len(web.judging.asked)
    assert (await console.command("reply", chat, text="you badword"))["code"] == "blocked"
    await done(console, "note", chat, text="a rudeword, for colleagues")
    assert len(web.judging.asked) == asked  # the word lists come first, and notes are nobody's reply
    await console.leave()


@pytest.mark.parametrize(("language", "said"), [("en", "was not sent"), ("zh", "没有发送")])
async def test_what_nobody_can_judge_is_not_sent_and_what_was_sent_stays_so(
    language: str, said: str, web: SimpleNamespace, mei: User, chat: Conversation
) -> None:
    console = Console(await off_loop(cookie_of, mei))
    await console.connect()
    await console.send(type="hello", protocol=1, language=language)
    await console.wait_for("welcome")
    await done(console, "take", chat)
    sent, other = str(uuid.uuid4()), str(uuid.uuid4())
    first = await done(console, "reply", chat, id=sent, text="Once.")
    web.judging.failure = GuardsUnavailable("late")
    refused = await console.command("reply", chat, id=other, text="Twice.", confirmed=True)
    assert refused["code"] == "guards_unavailable"
    assert said in refused["message"]
    assert (await done(console, "reply", chat, id=sent, text="Once."))["message"] == first["message"]
    assert await off_loop(lambda: list(Message.objects.filter(role="agent").values_list("text", flat=True))) == [
        "Once."
    ]
    web.judging.failure = None
    await done(console, "reply", chat, id=other, text="Twice.")
    await console.leave()


async def test_a_block_behind_a_review_stops_an_agents_confirmed_reply(
    web: SimpleNamespace, mei: User, chat: Conversation
) -> None:
    console = await console_of(mei)
    await done(console, "take", chat)
    blocked = await console.command("reply", chat, text="A riskword. A badword.", confirmed=True)
    assert blocked["code"] == "blocked"
    assert not await off_loop(Message.objects.filter(role="agent").exists)
    await console.leave()


# --- what waits for a reviewer


def held(chat: Conversation, log: EventLog, queue: FakeQueue, text: str = "This is held.") -> Review:
    """Ask something, and have the reply (or with "" the message) wait for a reviewer."""
    message = say(chat, log, queue, "Is it?")
    end = replace(
        conclusion("Well. ", outcome="review", reason="reply_review" if text else "message_review"),
        held=text,
        record=Record(verdicts=(Verdict("review", "lexicon", ("politics",), 1.0),)),
    )
    claimed = answering.claim(message.id, log=log)
    assert claimed is not None
    answering.conclude(claimed, end, log=log)
    log.drop_lease(chat.id, claimed.holder)
    return Review.objects.latest("created")


async def test_a_reviewer_sees_what_waits_with_its_clock_and_decides(
    web: SimpleNamespace, site: Site, mei: User, chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    rui = await off_loop(staff, "rui", "reviewer")
    console = await console_of(rui)
    review = await off_loop(held, chat, log, queue)
    row = (await console.wait_for("conversation"))["row"]
    while row["review"] is None:
        row = (await console.wait_for("conversation"))["row"]
    assert row["review"] == review.deadline.isoformat()
    [shown] = (await done(console, "reviews"))["reviews"]
    assert (shown["review"], shown["conversation"], shown["direction"]) == (str(review.pk), str(chat.pk), "out")
    assert (shown["asked"], shown["said"], shown["held"]) == (["Is it?"], "Well. ", "This is held.")
    assert shown["verdict"] == {"tier": "lexicon", "categories": ["politics"], "score": 1.0}
    assert [entry["role"] for entry in shown["context"]] == ["customer", "bot"]
    assert 180 - PATIENCE < shown["seconds"] <= 180
    blocked = await console.command("decide", review=str(review.pk), decision="edit", text="A badword.")
    assert (blocked["code"], blocked["categories"]) == ("blocked", ["abuse"])
    answer = await done(console, "decide", review=str(review.pk), decision="edit", text="Call 13800138000.")
    assert answer["decision"] == "edited"
    last = await off_loop(Message.objects.filter(role="bot").latest, "created")
    assert "13800138000" not in last.text
    assert (await done(console, "reviews"))["reviews"] == []
    late = await console.command("decide", review=str(review.pk), decision="reject")
    assert (late["code"], late["decision"]) == ("conflict", "edited")
    entry = await off_loop(AuditEntry.objects.get, action="review")
    assert (entry.actor_name, entry.details) == ("rui", {"review": str(review.pk), "decision": "edit"})
    await console.leave()


async def test_a_message_that_a_reviewer_lets_pass_is_queued_and_cannot_be_edited(
    web: SimpleNamespace, site: Site, chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    console = await console_of(await off_loop(staff, "rui", "reviewer"))
    review = await off_loop(held, chat, log, queue, "")
    queue.ids.clear()
    frame: Any = {"review": str(review.pk)}
    assert (await console.command("decide", **frame, decision="edit", text="No."))["code"] == "bad_frame"
    await done(console, "decide", **frame, decision="approve")
    assert len(queue.ids) == 1
    await console.leave()


async def test_while_an_agent_speaks_there_is_nothing_to_decide(
    web: SimpleNamespace, mei: User, chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    review = await off_loop(held, chat, log, queue)
    await off_loop(ownership.take_over, conversation_id=chat.id, agent=mei, log=log)
    console = await console_of(await off_loop(staff, "rui", "reviewer"))
    answer = await console.command("decide", review=str(review.pk), decision="approve")
    assert (answer["code"], answer["owner"]) == ("not_owner", "mei")
    assert (await done(console, "reviews"))["reviews"] == []
    assert not await off_loop(AuditEntry.objects.filter(action="review").exists)
    await console.leave()


async def test_reviews_are_those_of_ones_own_sites_and_no_agents(
    web: SimpleNamespace, mei: User, chat: Conversation, other_site: Site, log: EventLog, queue: FakeQueue
) -> None:
    review = await off_loop(held, chat, log, queue)
    abroad = await console_of(await off_loop(staff, "abroad", "reviewer", sites=("other",)))
    assert (await done(abroad, "reviews"))["reviews"] == []
    for unknown in (str(review.pk), str(uuid.uuid4())):
        answer = await abroad.command("decide", review=unknown, decision="approve")
        assert answer["code"] == "not_found"
    agent = await console_of(mei)
    assert (await agent.command("reviews"))["code"] == "not_allowed"
    assert (await agent.command("decide", review=str(review.pk), decision="approve"))["code"] == "not_allowed"
    await abroad.leave()
    await agent.leave()


async def test_closing_lets_the_conversation_rest(web: SimpleNamespace, mei: User, chat: Conversation) -> None:
    console = await console_of(mei)
    await done(console, "take", chat)
    await done(console, "close", chat)
    stored = await off_loop(Conversation.objects.get)
    assert (stored.owner, stored.closed is not None) == ("bot", True)
    assert (await off_loop(Handoff.objects.get)).result == "closed"
    assert [row["state"] for row in (await done(console, "inbox", view="closed"))["conversations"]] == ["closed"]
    await console.leave()


# --- what only staff see


async def test_notes_are_masked_and_reach_who_watches_and_no_customer(
    web: SimpleNamespace, mei: User, tom: User, chat: Conversation, log: EventLog
) -> None:
    first, second = await console_of(mei), await console_of(tom)
    await done(second, "watch", chat)
    id_ = str(uuid.uuid4())
    for _ in range(2):
        await done(first, "note", chat, id=id_, text="call 13800138000 back")
    [note] = (await second.wait_for("notes"))["notes"]
    assert note["author"] == "mei"
    assert "13800138000" not in note["text"]
    assert "13800138000" not in (await off_loop(Note.objects.get)).text
    assert log.read(chat.id, 0)[0] == []
    await first.leave()
    await second.leave()


async def test_an_original_is_shown_to_the_agent_alone_and_kept_in_the_record_without_it(
    web: SimpleNamespace, mei: User, tom: User, chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    message = await off_loop(say, chat, log, queue, "my number is 13800138000")
    placeholder = next(word for word in message.text.split() if word.startswith("<"))
    agent, other = await console_of(mei), await console_of(tom)
    ask = {"placeholder": placeholder, "why": "to call 13800138000 back"}
    assert (await agent.command("reveal", chat, **ask))["code"] == "not_allowed"
    await done(agent, "take", chat)
    assert (await done(agent, "reveal", chat, **ask))["value"] == "13800138000"
    assert (await other.command("reveal", chat, **ask))["code"] == "not_allowed"
    assert (await agent.command("reveal", chat, **{**ask, "placeholder": "<PHONE_77>"}))["code"] == "not_found"
    assert (await agent.command("reveal", chat, **{**ask, "placeholder": "%"}))["code"] == "not_found"
    entry = await off_loop(AuditEntry.objects.get, action="reveal")
    assert entry.details["placeholder"] == placeholder
    assert "13800138000" not in str(entry.details)
    await agent.leave()
    await other.leave()


@pytest.mark.parametrize(
    ("why", "kept"),
    [
        ("to call 138-0013-8000", "to call …"),
        ("138 001 380 00 is wrong", "… is wrong"),
        ("not 13900139000 but 13800138000", "not <CN_MOBILE> but <CN_MOBILE>"),
        ("order 12 of 3", "order 12 of 3"),
    ],
)
async def test_the_reason_for_seeing_an_original_holds_no_personal_data(
    why: str, kept: str, web: SimpleNamespace, mei: User, chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    """The record is never erased, so nothing of a customer may be in it."""
    await off_loop(say, chat, log, queue, "my number is 13800138000")
    agent = await console_of(mei)
    await done(agent, "take", chat)
    await done(agent, "reveal", chat, placeholder="<CN_MOBILE_1>", why=why)
    assert (await off_loop(AuditEntry.objects.get, action="reveal")).details["why"] == kept
    await agent.leave()


async def test_rows_reach_consoles_of_that_site_alone(
    web: SimpleNamespace, mei: User, chat: Conversation, other_site: Site, log: EventLog, queue: FakeQueue
) -> None:
    abroad = await off_loop(staff, "abroad", "agent", sites=("other",))
    here, there = await console_of(mei), await console_of(abroad)
    await off_loop(say, chat, log, queue, "Anybody there?")
    row = (await here.wait_for("conversation"))["row"]
    assert (row["conversation"], row["preview"]) == (str(chat.pk), "Anybody there?")
    assert await there.quiet()
    await here.leave()
    await there.leave()


async def test_an_agent_who_says_so_is_offered_work(
    web: SimpleNamespace, mei: User, chat: Conversation, log: EventLog
) -> None:
    from chatbot.wiring import presence
    from console.assignment import assign

    await off_loop(ownership.request_person, conversation_id=chat.id, reason="requested", log=log)
    console = await console_of(mei)
    assert await off_loop(assign, lambda: presence().agents()) == []
    await done(console, "available", available=True)
    [offered] = await off_loop(assign, lambda: presence().agents())
    assert offered.conversation_id == chat.pk
    assert (await off_loop(Handoff.objects.get)).offered_to_id == mei.pk
    [row] = (await done(console, "inbox", view="waiting"))["conversations"]
    assert row["offered_to"] == "mei"
    assert await off_loop(assign, lambda: presence().agents()) == []
    await console.leave()
    assert presence().agents() == frozenset()


async def test_colleagues_who_watch_see_that_an_agent_writes(
    web: SimpleNamespace, mei: User, tom: User, chat: Conversation
) -> None:
    console, other, elsewhere = await console_of(mei), await console_of(tom), await console_of(tom)
    await done(console, "take", chat)
    await done(other, "watch", chat)
    await console.send(type="typing", conversation=str(chat.pk))
    frame = await other.wait_for("typing")
    assert (frame["conversation"], frame["author"]) == (str(chat.pk), "mei")
    assert "typing" not in {frame["type"] for frame in elsewhere.frames}
    for one in (console, other, elsewhere):
        await one.leave()


async def test_a_tag_shows_at_once_in_everybodys_list(
    web: SimpleNamespace, mei: User, tom: User, chat: Conversation
) -> None:
    console, other = await console_of(mei), await console_of(tom)
    await done(console, "tag", chat, name="vip")
    while (await other.wait_for("conversation"))["row"]["tags"] != ["vip"]:
        pass
    listed = (await done(other, "inbox", view="all", tag="vip"))["conversations"]
    assert [row["conversation"] for row in listed] == [str(chat.pk)]
    assert (await done(other, "customer", chat))["tags"] == ["vip"]
    assert (await done(other, "counts"))["counts"]["all"] == 1
    assert (await console.command("tag", chat, name="13812345678"))["code"] == "personal_data"
    await done(console, "tag", chat, name="vip", on=False)
    assert (await done(other, "customer", chat))["tags"] == []
    for one in (console, other):
        await one.leave()


async def test_the_team_knows_who_is_here(web: SimpleNamespace, mei: User, tom: User) -> None:
    console = await console_of(mei)
    people: dict[str, Any] = {}
    while people.get("mei") is not True:  # one's own presence is reported a moment after the welcome
        people = {one["user"]: one["here"] for one in (await done(console, "team"))["people"]}
    assert people["tom"] is False
    await console.leave()


@pytest.mark.parametrize("before", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-45", "", "x"])
async def test_a_page_that_begins_nowhere_is_the_first(
    before: str, web: SimpleNamespace, mei: User, chat: Conversation
) -> None:
    console = await console_of(mei)
    for begin in (f"{before} {uuid.UUID(int=0)}", f"{before} x", before):
        assert len((await done(console, "inbox", view="all", before=begin))["conversations"]) == 1
    assert (await console.command("inbox", site="shop\0"))["code"] == "bad_frame"
    await console.leave()


async def test_pages_of_the_inbox_follow_each_other_without_gap(
    web: SimpleNamespace, mei: User, site: Site, log: EventLog
) -> None:
    def many() -> None:
        for _ in range(120):
            services.start_conversation(site=site, visitor=uuid.uuid4(), language="zh", log=log)

    await off_loop(many)
    console, seen, before = await console_of(mei), [], ""
    while True:
        page = await done(console, "inbox", view="all", before=before)
        seen += [row["conversation"] for row in page["conversations"]]
        if page["more"] is None:
            break
        before = page["more"]
    assert len(seen) == len(set(seen)) == 120
    for nonsense in ("x", "2026-01-01", "2026-01-01T00:00:00Z 7", " "):
        assert len((await done(console, "inbox", view="all", before=nonsense))["conversations"]) == 50
    await console.leave()


async def test_a_list_and_a_row_cost_the_same_queries_whatever_their_length(
    web: SimpleNamespace, mei: User, site: Site, log: EventLog, queue: FakeQueue, django_assert_num_queries: Any
) -> None:
    from console import selectors

    def count() -> None:
        ids = list(Conversation.objects.values_list("id", flat=True))
        with django_assert_num_queries(3):
            selectors.inbox(mei, [site.pk], "all")
        with django_assert_num_queries(2):
            selectors.rows(ids)
        with django_assert_num_queries(3):
            assert len(selectors.reviews([site.pk])) == len(ids)

    for _ in range(3):
        started = partial(services.start_conversation, site=site, visitor=uuid.uuid4(), language="zh", log=log)
        await off_loop(held, await off_loop(started), log, queue)
    await off_loop(count)
