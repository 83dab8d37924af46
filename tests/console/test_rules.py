"""Who may do what: every action for every role, on one's own, another's, and another site's things."""

import uuid
from typing import Any, get_args

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django_otp.plugins.otp_totp.models import TOTPDevice

from chatbot.models import Conversation, Site
from console.rules import RULES, Action, Role, could, may, roles_of, sites_of
from knowledge.models import KnowledgeBase
from tests.console.conftest import staff

pytestmark = pytest.mark.django_db

ACTIONS = get_args(Action)
NOTHING: frozenset[str] = frozenset()
READS = {"see_ledger", "rate", "see_conversation", "see_team", "see_notes", "note", "see_knowledge"}
CHIEF = {
    "see_queue",
    "take",
    "transfer",
    "hand_back",
    "close",
    "reveal",
    "review",
    "erase",
    "see_insights",
    "see_audit",
    "see_words",
}
MINE = {"transfer", "hand_back", "close", "reply", "reveal"}
EDITS = {"edit_knowledge", "publish_knowledge"}
# role: what it may do on a conversation of its site that it has, that somebody else has, and that nobody has
EXPECTED: dict[str, tuple[set[str], set[str], set[str]]] = {
    "agent": (READS | MINE | {"see_queue", "take"}, *[READS | {"see_queue", "take"}] * 2),
    "reviewer": (READS | {"review", "see_words"},) * 3,
    "knowledge_manager": ({"see_knowledge", "see_ledger", "rate"} | EDITS,) * 3,
    "supervisor": (READS | CHIEF | {"reply"}, READS | CHIEF, READS | CHIEF),
    "administrator": (set(ACTIONS), *[set(ACTIONS) - {"reply"}] * 2),
}


def conversation(site: Site, agent: User | None) -> Conversation:
    return Conversation.objects.create(site=site, visitor=uuid.uuid4(), agent=agent)


def allowed(user: Any, target: Any) -> set[str]:
    return {action for action in ACTIONS if may(user, action, target)}


def test_every_action_has_a_rule_and_every_role_an_expectation() -> None:
    assert set(RULES) == set(ACTIONS)
    assert set(EXPECTED) == set(Role)


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_what_it_is_for_and_nothing_else(role: str, site: Site, other_site: Site) -> None:
    user, colleague = staff("user", role), staff("colleague", "agent")
    own, others, free = EXPECTED[role]
    assert allowed(user, conversation(site, user)) == own
    assert allowed(user, conversation(site, colleague)) == others
    assert allowed(user, conversation(site, None)) == free
    assert allowed(user, site) == allowed(user, None) == own


@pytest.mark.parametrize("role", sorted(set(Role) - {"administrator"}))
def test_nothing_of_another_site_is_reached(role: str, site: Site, other_site: Site) -> None:
    user = staff("user", role)
    base = KnowledgeBase.objects.create(slug="other", name="Other")
    for target in (other_site, base, conversation(other_site, None), conversation(other_site, user)):
        assert allowed(user, target) == NOTHING, target


@pytest.mark.parametrize(("role", "action"), [("supervisor", "edit_words"), ("knowledge_manager", "edit_intents")])
def test_what_counts_for_all_sites_is_changed_by_who_has_them_all(
    role: str, action: Action, site: Site, other_site: Site
) -> None:
    one, both = staff("one", role), staff("both", role, sites=("shop", "other"))
    assert not may(one, action)
    assert may(both, action)
    assert not may(staff("agent", "agent", sites=("shop", "other")), action)
    other_site.delete()
    assert may(one, action)


def test_an_administrator_reaches_every_site(site: Site, other_site: Site) -> None:
    user = staff("user", "administrator", sites=())
    assert allowed(user, other_site) == allowed(user, None) == set(ACTIONS)
    assert set(sites_of(user)) == {site, other_site}


def test_a_knowledge_base_is_a_sites(site: Site) -> None:
    user = staff("user", "knowledge_manager")
    assert may(user, "edit_knowledge", KnowledgeBase.objects.create(slug="shop", name="Shop"))
    assert not may(user, "edit_knowledge", KnowledgeBase.objects.create(slug="shop2", name="Shop"))


@pytest.mark.parametrize("role", sorted(set(Role) - {"administrator"}))
def test_a_member_without_sites_may_do_nothing(role: str, site: Site) -> None:
    user = staff("user", role, sites=())
    assert allowed(user, None) == allowed(user, site) == NOTHING
    assert not sites_of(user)


def test_several_roles_add_up(site: Site, other_site: Site) -> None:
    user = staff("user", "reviewer", "knowledge_manager")
    assert allowed(user, site) == EXPECTED["reviewer"][0] | EXPECTED["knowledge_manager"][0]


def test_lists_show_the_members_own_sites(site: Site, other_site: Site) -> None:
    assert list(sites_of(staff("user", "agent"))) == [site]


def test_strangers_and_accounts_out_of_use_may_do_nothing(site: Site) -> None:
    gone, no_member = staff("gone", "administrator"), User.objects.create_user("plain", is_staff=True)
    gone.is_active = False
    root = User.objects.create_superuser("root", is_active=False)
    odd = staff("odd", "agent")
    odd.staff_member.roles = ["superhero", "is_superuser"]
    for user in (AnonymousUser(), gone, no_member, root, odd):
        assert allowed(user, site) == allowed(user, None) == NOTHING
        assert not any(could(user, action, site) for action in ACTIONS)
        assert (roles_of(user), list(sites_of(user))) == (NOTHING, [])


def test_a_superuser_counts_as_an_administrator(site: Site) -> None:
    assert allowed(User.objects.create_superuser("root"), site) == set(ACTIONS)


def test_who_has_enrolled_and_not_passed_may_do_nothing_but_could_be_offered_work(site: Site) -> None:
    user = staff("user", "agent")
    device = TOTPDevice.objects.create(user=user, confirmed=False)
    assert may(user, "take", site)  # an enrolment that was begun binds nobody
    device.confirmed = True
    device.save()
    assert allowed(user, site) == allowed(user, None) == NOTHING
    assert could(user, "take", site)
    user.is_verified = lambda: False  # type: ignore[attr-defined]
    assert allowed(user, site) == NOTHING
    user.is_verified = lambda: True  # type: ignore[attr-defined]
    assert may(user, "take", site)


def test_where_two_factors_are_required_nobody_may_do_anything_without(site: Site, settings: Any) -> None:
    settings.TWO_FACTOR_REQUIRED = True
    user = staff("user", "administrator")
    assert allowed(user, site) == NOTHING
    user.is_verified = lambda: True  # type: ignore[attr-defined]
    assert allowed(user, site) == set(ACTIONS)


def test_an_unknown_action_is_a_mistake_not_a_refusal(site: Site) -> None:
    with pytest.raises(KeyError):
        may(staff("user", "administrator"), "fly")  # type: ignore[arg-type]
