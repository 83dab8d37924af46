"""Who gets into whose conversation: tokens and signed users, used rightly, stolen, replayed."""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jwt
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot import admission, protocol, services, sites, tokens, users
from chatbot.admission import Admission, Door, Refused, Session
from chatbot.events import EventLog
from chatbot.limits import Limiter, Rate
from chatbot.models import Conversation, Site
from chatbot.replays import Replays
from chatbot.seats import Seats
from guardrails import vault
from guardrails.personal_data.pool import MaskingUnavailable
from guardrails.sealing import MasterKey
from tests.chatbot.conftest import MASTER_KEY
from tests.fakes import FakeFind

ORIGIN, HOST = "https://shop.example", "chat.example"
Come = Callable[..., Session]


class Visits:
    """Hellos to one installation; every one comes on a socket of its own."""

    def __init__(self, log: EventLog, client: redis.Redis, seats: int = 100) -> None:
        self.rates: dict[Any, Rate] = {}
        self.find, self.seats = FakeFind(), Seats(seats)
        self.log, self.client, self.replays = log, client, Replays(client)
        self.master_key = MASTER_KEY

    def come(
        self, *, origin: str = ORIGIN, host: str = HOST, network: str = "192.0.2.1", key: str = "shop", **hello: Any
    ) -> Session:
        checks = Admission(
            log=self.log,
            limiter=Limiter(self.client, self.rates, secret=b""),
            seats=self.seats,
            replays=self.replays,
            find=self.find,
            master_key=lambda: self.master_key,
            secret=b"users",
        )
        frame = protocol.Hello(key, hello.pop("token", ""), hello.pop("after", 0), "en", **hello)
        return checks.open(frame, Door(origin, host, network, uuid.uuid4().hex))

    def refused(self, **hello: Any) -> Refused:
        before = len(self.seats.taken()), Conversation.objects.count()
        with pytest.raises(Refused) as caught:
            self.come(**hello)
        assert (len(self.seats.taken()), Conversation.objects.count()) == before
        return caught.value


@pytest.fixture
def visits(log: EventLog, redis_client: redis.Redis, site: Site) -> Visits:
    return Visits(log, redis_client)


@pytest.fixture
def secret(site: Site) -> str:
    return sites.new_user_secret(site, master_key=MASTER_KEY)


def token_of(session: Session, origin: str = ORIGIN) -> str:
    return tokens.issue(tokens.Visitor(session.visitor, session.conversation.id, session.site.key, origin))


def signed(secret: str, subject: str = "user-7", **changes: Any) -> str:
    now = int(time.time())
    claims = {"sub": subject, "iat": now, "exp": now + 600, "jti": uuid.uuid4().hex, "aud": "shop", **changes}
    return jwt.encode(claims, secret, algorithm="HS256")


def device(name: str = "laptop") -> str:
    return name.ljust(16, ".")


# --- anonymous visitors


def test_the_last_token_and_every_one_before_lead_to_the_same_conversation(visits: Visits) -> None:
    first = visits.come()
    again = visits.come(token=token_of(first))
    assert again.conversation == first.conversation
    assert (first.fresh, again.fresh) == (True, False)
    for token in (token_of(first), token_of(again)):
        assert visits.come(token=token).conversation == first.conversation


def other_site(**fields: Any) -> Site:
    return Site.objects.create(
        key="other", name="Other", knowledge_base="x", allowed_origins=[ORIGIN, "https://other.example"], **fields
    )


THEFTS: dict[str, dict[str, Any]] = {
    "on another site": {"key": "other"},
    "on another site and origin": {"key": "other", "origin": "https://other.example"},
    "from another origin of the same site": {"origin": f"https://{HOST}"},
    "with another scheme": {"origin": "http://shop.example"},
    "from another port": {"origin": "https://shop.example:8443"},
    "from a page that is not allowed": {"origin": "https://evil.example"},
    "from no page": {"origin": ""},
    "from a sandboxed frame": {"origin": "null"},
}


@pytest.mark.parametrize("theft", THEFTS.values(), ids=THEFTS)
def test_a_stolen_token_opens_nothing(theft: dict[str, Any], visits: Visits, site: Site) -> None:
    other_site()
    site.allowed_origins += [f"https://{HOST}", "https://shop.example:8443"]
    site.save()
    mine = visits.come()
    if theft.get("origin", ORIGIN) not in [*site.allowed_origins, "https://other.example"]:
        assert visits.refused(token=token_of(mine), **theft).code == "bad_origin"
        return
    thief = visits.come(token=token_of(mine), **theft)
    assert thief.conversation != mine.conversation
    assert thief.visitor != mine.visitor
    assert (thief.fresh, thief.cursor) == (True, 0)


def test_a_token_from_before_the_erasure_leads_to_nothing_that_comes_after(visits: Visits, log: EventLog) -> None:
    mine = visits.come()
    token = token_of(mine)
    services.erase_conversation(mine.conversation.id, log=log)
    after = visits.come(token=token, after=9)
    assert after.visitor != mine.visitor
    assert (after.fresh, after.cursor) == (True, 0)
    assert visits.come(token=token).conversation != after.conversation


# --- known users


def test_a_user_finds_their_conversation_on_every_device(visits: Visits, secret: str) -> None:
    laptop = visits.come(user=signed(secret), device=device())
    phone = visits.come(user=signed(secret), device=device("phone"))
    assert phone.conversation == laptop.conversation
    assert (laptop.fresh, phone.fresh, phone.cursor) == (True, True, 0)
    back = visits.come(user=signed(secret), device=device(), token=token_of(laptop))
    assert (back.conversation, back.fresh) == (laptop.conversation, False)


def test_two_users_and_an_anonymous_visitor_have_one_each(visits: Visits, secret: str) -> None:
    sessions = [
        visits.come(user=signed(secret, "a"), device=device()),
        visits.come(user=signed(secret, "b"), device=device()),
        visits.come(),
    ]
    assert len({session.conversation.id for session in sessions}) == 3


def test_a_user_of_one_site_is_nobody_on_another(visits: Visits, secret: str) -> None:
    other = other_site()
    foreign = sites.new_user_secret(other, master_key=MASTER_KEY)
    mine = visits.come(user=signed(secret), device=device())
    theirs = visits.come(user=signed(foreign, aud="other"), device=device(), key="other")
    assert theirs.visitor != mine.visitor
    assert theirs.conversation != mine.conversation


def test_who_has_logged_out_does_not_leave_the_conversation_to_the_next(visits: Visits, secret: str) -> None:
    mine = visits.come(user=signed(secret), device=device())
    next_one = visits.come(token=token_of(mine), after=3)
    assert next_one.conversation != mine.conversation
    assert not users.is_known(next_one.visitor)
    another_user = visits.come(token=token_of(mine), user=signed(secret, "b"), device=device())
    assert another_user.conversation not in (mine.conversation, next_one.conversation)
    assert another_user.fresh


def test_what_was_said_before_logging_in_stays_with_the_anonymous_visitor(visits: Visits, secret: str) -> None:
    before = visits.come()
    user = visits.come(token=token_of(before), user=signed(secret), device=device())
    assert user.conversation != before.conversation
    assert user.fresh


def test_a_signed_token_comes_again_from_its_browser_and_from_no_other(visits: Visits, secret: str) -> None:
    token = signed(secret)
    mine = visits.come(user=token, device=device())
    assert visits.come(user=token, device=device()).conversation == mine.conversation
    for thief in (device("thief"), device("thief").upper()):
        refused = visits.refused(user=token, device=thief)
        assert (refused.code, refused.close, refused.retry_after) == ("user_replayed", protocol.CLOSE_REFUSED, None)
    assert visits.come(user=token, device=device()).conversation == mine.conversation


def test_one_jti_names_one_user(visits: Visits, secret: str) -> None:
    visits.come(user=signed(secret, "a", jti="always the same"), device=device())
    refused = visits.refused(user=signed(secret, "b", jti="always the same"), device=device())
    assert refused.code == "user_replayed"


NOW = int(time.time())
ATTACKS: dict[str, tuple[Callable[[str], str], str]] = {
    "another secret": (lambda _: signed("x" * 43), "user_invalid"),
    "no algorithm": (lambda _: jwt.encode({"sub": "user-7"}, "", algorithm="none"), "user_invalid"),
    "another algorithm": (lambda s: jwt.encode({"sub": "user-7"}, s * 2, algorithm="HS512"), "user_invalid"),
    "signed for another site": (lambda s: signed(s, aud="other"), "user_invalid"),
    "valid for too long": (lambda s: signed(s, exp=NOW + 7200), "user_invalid"),
    "expired": (lambda s: signed(s, iat=NOW - 900, exp=NOW - 300), "user_expired"),
    "an anonymous token": (lambda _: tokens.issue(tokens.Visitor(uuid.uuid4(), uuid.uuid4(), "shop", ORIGIN)), ""),
    "nonsense": (lambda _: "x", ""),
}


@pytest.mark.parametrize(("attack", "code"), ATTACKS.values(), ids=ATTACKS)
def test_a_user_whom_the_site_did_not_sign_is_refused(
    attack: Callable[[str], str], code: str, visits: Visits, secret: str
) -> None:
    mine = visits.come(user=signed(secret), device=device())
    refused = visits.refused(user=attack(secret), device=device(), token=token_of(mine))
    assert (refused.code, refused.close) == (code or "user_invalid", protocol.CLOSE_REFUSED)


def test_a_site_without_a_secret_knows_no_users(visits: Visits) -> None:
    assert visits.refused(user=signed("x" * 43), device=device()).code == "user_invalid"
    assert visits.refused(user=jwt.encode({"sub": "a"}, "", algorithm="none"), device=device()).code == "user_invalid"


def test_a_new_secret_ends_the_old_one_and_keeps_the_users(visits: Visits, secret: str, site: Site) -> None:
    mine = visits.come(user=signed(secret), device=device())
    new = sites.new_user_secret(site, master_key=MASTER_KEY)
    assert visits.refused(user=signed(secret), device=device()).code == "user_invalid"
    assert visits.come(user=signed(new), device=device()).conversation == mine.conversation


def test_a_master_key_that_does_not_fit_lets_no_user_in_and_everybody_else(visits: Visits, secret: str) -> None:
    visits.master_key = MasterKey(b"x" * 32)
    assert visits.refused(user=signed(secret), device=device()).code == "user_invalid"
    visits.come()


def test_a_users_profile_is_masked_and_the_subject_is_kept_nowhere(visits: Visits, secret: str) -> None:
    about = {"name": "Li Wei", "email": "li@example.com", "attributes": {"phone": "13800138000", "plan": "gold"}}
    mine = visits.come(user=signed(secret, "li@example.com", **about), device=device())
    row = Conversation.objects.filter(pk=mine.conversation.pk).values().get()
    assert row["profile"] == "name: <PERSON_1>\nemail: <EMAIL_1>\nphone: <CN_MOBILE_1>\nplan: gold"
    assert not any(value in str(row) for value in ("Li Wei", "li@example.com", "13800138000"))
    assert set(vault.values(mine.conversation.id, master_key=MASTER_KEY).values()) == {
        "Li Wei",
        "li@example.com",
        "13800138000",
    }
    keys = visits.client.keys("*")
    values = [visits.client.dump(key) for key in keys]
    assert not any(b"li@example.com" in text for text in [*keys, *values])


def test_a_user_may_chat_when_the_profile_cannot_be_masked_and_it_is_stored_later(visits: Visits, secret: str) -> None:
    token = signed(secret, name="Li Wei")
    visits.find.failure = MaskingUnavailable("full")
    visits.come(user=token, device=device())
    visits.find.failure = None
    assert visits.come(user=token, device=device()).conversation.profile == "name: <PERSON_1>"


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["", "a", "b"]), st.booleans()), max_size=12))
def test_whatever_is_brought_along_nobody_sees_anothers_conversation(
    visits: Visits, secret: str, steps: list[tuple[int, str, bool]]
) -> None:
    """Four browsers, each with or without its last token, logged in as one of two users or not."""
    last: dict[int, str] = {}
    owner: dict[uuid.UUID, Any] = {}
    for browser, user, keeps in steps:
        token = last.get(browser, "") if keeps else ""
        extra = {"user": signed(secret, user), "device": device(str(browser))} if user else {}
        session = visits.come(token=token, **extra)
        who = user or ("anonymous", browser)
        assert owner.setdefault(session.conversation.id, who) == who
        last[browser] = token_of(session)
    for user in "ab":
        assert list(owner.values()).count(user) <= 1


# --- limits and seats


@pytest.mark.parametrize(
    ("bucket", "hellos", "code"),
    [
        (("hello", "ip"), {}, "too_fast"),
        (("hello", "site"), {}, "busy"),
        (("conversation", "ip"), {}, "too_fast"),
        (("conversation", "site"), {}, "busy"),
        (("hello", "ip"), {"key": "nobody"}, "too_fast"),
        (("hello", "ip"), {"origin": "https://evil.example"}, "too_fast"),
        (("hello", "ip"), {"user": "x", "device": device()}, "too_fast"),
    ],
)
def test_too_many_hellos_are_told_when_to_come_back(
    bucket: Any, hellos: dict[str, str], code: str, visits: Visits
) -> None:
    visits.rates[bucket] = Rate(60, 2)
    for _ in range(2):
        with suppress(Refused):
            visits.come(**hellos)
    refused = visits.refused(**hellos)
    assert (refused.code, refused.close) == (code, protocol.CLOSE_TOO_FAST)
    assert 0 < (refused.retry_after or 0) <= 1.1


def test_a_visitor_who_returns_too_often_is_stopped_and_others_are_not(visits: Visits) -> None:
    visits.rates["hello", "visitor"] = Rate(60, 2)
    mine = visits.come()
    visits.come(token=token_of(mine))
    assert visits.refused(token=token_of(mine)).code == "too_fast"
    visits.come()


def test_who_returns_needs_no_place_among_the_new(visits: Visits) -> None:
    visits.rates["conversation", "ip"] = Rate(60, 1)
    mine = visits.come()
    assert visits.refused().code == "too_fast"
    assert visits.come(token=token_of(mine)).conversation == mine.conversation


def test_strangers_pages_use_up_nothing_of_the_site(visits: Visits) -> None:
    visits.rates["hello", "site"] = Rate(60, 1)
    for _ in range(3):
        assert visits.refused(origin="https://evil.example").code == "bad_origin"
    visits.come()


def test_a_visitor_has_so_many_sockets_and_others_have_theirs(visits: Visits) -> None:
    visits.seats = Seats(3)
    mine = visits.come()
    for _ in range(2):
        visits.come(token=token_of(mine))
    refused = visits.refused(token=token_of(mine))
    assert (refused.code, refused.close) == ("too_many_sockets", protocol.CLOSE_TOO_MANY)
    visits.come()
    place, holder = visits.seats.taken()[0]
    assert place == admission.place_of(mine.visitor)
    visits.seats.leave(place, holder)
    visits.come(token=token_of(mine))
