"""Who of the staff may do what: one table, asked everywhere. Knows nothing of pages, sockets and what the acts do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet
from django_otp import user_has_device

from chatbot.models import Conversation, Site
from console.models import StaffMember
from knowledge.models import KnowledgeBase

Role = StaffMember.Role
User = AbstractBaseUser | AnonymousUser
Target = Conversation | Site | KnowledgeBase | None
Scope = Literal["own", "site", "every", "all"]
Action = Literal[
    "see_queue",
    "see_conversation",
    "see_team",
    "take",
    "transfer",
    "hand_back",
    "close",
    "reply",
    "note",
    "see_notes",
    "reveal",
    "erase",
    "review",
    "see_words",
    "edit_words",
    "edit_intents",
    "see_ledger",
    "rate",
    "see_knowledge",
    "edit_knowledge",
    "publish_knowledge",
    "see_insights",
    "see_audit",
    "manage_sites",
    "manage_staff",
]
CHIEFS = frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR})


@dataclass(frozen=True)
class Rule:
    """`roles` may do it, on what `scope` says.

    own: conversations whose agent they are now, and `chiefs` among `roles` on any conversation of their sites;
    site: anything of one of the member's sites; every: what counts for all sites alike, by whoever has all of them;
    all: anything. To an administrator every site is theirs.
    """

    roles: frozenset[str]
    scope: Scope
    chiefs: frozenset[str] = CHIEFS


AGENTS = frozenset({Role.AGENT}) | CHIEFS
REVIEWERS = frozenset({Role.REVIEWER}) | CHIEFS
EDITORS = frozenset({Role.KNOWLEDGE_MANAGER, Role.ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
EVERYBODY = frozenset(Role)

RULES: Mapping[Action, Rule] = {
    "see_queue": Rule(AGENTS, "site"),
    "see_conversation": Rule(AGENTS | REVIEWERS, "site"),
    "see_team": Rule(AGENTS | REVIEWERS, "site"),
    "take": Rule(AGENTS, "site"),
    "transfer": Rule(AGENTS, "own"),
    "hand_back": Rule(AGENTS, "own"),
    "close": Rule(AGENTS, "own"),
    "reply": Rule(AGENTS, "own", chiefs=frozenset()),  # nobody speaks in another's name: take it first
    "note": Rule(AGENTS | REVIEWERS, "site"),
    "see_notes": Rule(AGENTS | REVIEWERS, "site"),
    "reveal": Rule(AGENTS, "own"),
    "erase": Rule(CHIEFS, "site"),
    "review": Rule(REVIEWERS, "site"),
    "see_words": Rule(REVIEWERS, "site"),
    "edit_words": Rule(CHIEFS, "every"),
    "edit_intents": Rule(EDITORS, "every"),
    "see_ledger": Rule(EVERYBODY, "site"),
    "rate": Rule(AGENTS | REVIEWERS | EDITORS, "site"),  # report an answer as wrong, with a reason
    "see_knowledge": Rule(EVERYBODY, "site"),
    "edit_knowledge": Rule(EDITORS, "site"),
    "publish_knowledge": Rule(EDITORS, "site"),
    "see_insights": Rule(CHIEFS, "site"),
    "see_audit": Rule(CHIEFS, "site"),
    "manage_sites": Rule(ADMINISTRATORS, "all"),
    "manage_staff": Rule(ADMINISTRATORS, "all"),
}


def may(user: User, action: Action, target: Target = None) -> bool:
    """Whether `user`, who is here now, may do `action` on `target`; None asks whether they may do it anywhere."""
    return has_passed(user) and could(user, action, target)


def could(user: User, action: Action, target: Target = None) -> bool:
    """Whether the account's roles allow it, wherever its owner is: for offering work. Acts themselves ask `may`."""
    rule, roles = RULES[action], roles_of(user)
    if not roles & rule.roles:
        return False
    if rule.scope == "all":
        return True
    if rule.scope == "own" and isinstance(target, Conversation):
        agent = target.agent_id is not None and target.agent_id == user.pk
        if not agent and not roles & rule.roles & rule.chiefs:
            return False
    sites = sites_of(user)
    if rule.scope == "every":
        return Role.ADMINISTRATOR in roles or (sites.exists() and sites.count() == Site.objects.count())
    if isinstance(target, Conversation):
        sites = sites.filter(pk=target.site_id)
    elif isinstance(target, Site):
        sites = sites.filter(pk=target.pk)
    elif isinstance(target, KnowledgeBase):
        sites = sites.filter(knowledge_base=target.slug)
    else:
        return Role.ADMINISTRATOR in roles or sites.exists()
    return sites.exists()


def sites_of(user: User) -> QuerySet[Site]:
    """Return the sites whose things `user` may see at all; what of them, the rules say."""
    roles = roles_of(user)
    if Role.ADMINISTRATOR in roles:
        return Site.objects.all()
    return Site.objects.filter(staff__user_id=user.pk or 0) if roles else Site.objects.none()


def roles_of(user: User) -> frozenset[str]:
    """Return what `user` is here; nothing for strangers and for accounts that were put out of use."""
    if not user.is_active:
        return frozenset()
    if getattr(user, "is_superuser", False):
        return frozenset({Role.ADMINISTRATOR})
    member: StaffMember | None = getattr(user, "staff_member", None)
    return frozenset(member.roles) & EVERYBODY if member else frozenset()


def has_passed(user: User) -> bool:
    """Whether `user` has shown all that a session must show: the second factor once enrolled, or when it is required.

    django-otp's middleware (`accounts.session_user` for sockets) says which device a session has passed.
    """
    if not user.is_active:
        return False
    is_verified = getattr(user, "is_verified", None)
    if is_verified is not None and is_verified():
        return True
    if settings.TWO_FACTOR_REQUIRED:
        return False
    known: bool | None = getattr(user, "has_device", None)  # the gate asks once a request
    return not (user_has_device(user) if known is None else known)
