"""What happened between customers and their shop, counted by the database for one period: facts, never rates.

A *visit* is what one visitor of a site writes with pauses of an hour at most; a conversation that they take up again
the next day is another visit. Knows nothing of pages: report.py makes rates of what is counted here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Avg, Count, Exists, F, FloatField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import Func
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils import timezone

from chatbot.models import Feedback, Handoff, LedgerEntry, Message, Rating

PAUSE = 3600
"""Seconds without a word of the customer after which a visit is over."""
DURABLE = 7 * 86_400
"""Seconds in which whoever was helped for good does not come back."""
ANSWERS = ("faq", "answered")
_SECONDS = {"sqlite": "((julianday({}) - 2440587.5) * 86400.0)", "postgresql": "EXTRACT(EPOCH FROM {})::float8"}
_WHOLE = {"sqlite": "CAST({} AS INTEGER)", "postgresql": "CAST(FLOOR({}) AS INTEGER)"}


@dataclass(frozen=True)
class Scope:
    """What is counted: sites (keys), from `begin` until before `end` (aware), one language or "" for all.

    `offset` is the reader's clock, seconds ahead of UTC: it says which day and hour something belongs to.
    """

    sites: Sequence[int]
    begin: datetime
    end: datetime
    language: str = ""
    offset: int = 0
    now: datetime = field(default_factory=timezone.now)

    def before(self) -> "Scope":
        """Return the period of the same length that ends where this one begins."""
        return Scope(self.sites, self.begin - (self.end - self.begin), self.begin, self.language, self.offset, self.now)


@dataclass(frozen=True)
class Visits:
    """Visits that began in the period.

    `over`: an hour has passed since; `cases`: over, and more than small talk; of those `alone`: without a person;
    `resolved`: the last question was answered from documents and the answer not marked unhelpful, or a person settled
    it; `resolved_alone`: both; `judged`: resolved and seven days old; of those `durable`: they did not come back within
    seven days.
    """

    visits: int = 0
    over: int = 0
    cases: int = 0
    alone: int = 0
    resolved: int = 0
    resolved_alone: int = 0
    judged: int = 0
    durable: int = 0

    def __add__(self, other: "Visits") -> "Visits":
        return Visits(*(getattr(self, name) + getattr(other, name) for name in _COUNTS))


_COUNTS = tuple(Visits.__dataclass_fields__)


@dataclass(frozen=True)
class Spread:
    """How long something took, seconds: half of `n` took `p50` at most, 95 in 100 `p95`; None when there was none."""

    n: int = 0
    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True)
class Waiting:
    """Customers for whom a person was called while people answered: how long until one took it, and wrote.

    `due` are those that were taken, or for whom the site's time (Site.answer_within) is up; of those `in_time` were
    taken within it.
    """

    due: int
    in_time: int
    taken: Spread
    answered: Spread


@dataclass(frozen=True)
class Ratings:
    """CSAT: how many, how many of them 4 or 5, their mean, and how many of each score."""

    n: int
    good: int
    mean: float | None
    scores: Mapping[int, int]


@dataclass(frozen=True)
class Engine:
    """What one writer of answers did. "" is no engine: an FAQ's own words, or the bot's own sentences."""

    name: str
    replies: int
    degraded: int
    prompt_tokens: int
    reply_tokens: int


@dataclass(frozen=True)
class Facts:
    """Everything that is counted of one period. `days` and `hours` are by the reader's clock; Monday is 0."""

    visits: Visits
    days: Mapping[int, Visits]
    hours: Mapping[tuple[int, int], int]
    outcomes: Mapping[tuple[str, str], int]
    handoffs: Mapping[str, int]
    waiting: Waiting
    first_text: Spread
    ratings: Ratings
    thumbs: Mapping[str, int]
    engines: Sequence[Engine]
    verdicts: Mapping[tuple[str, str], int]


def facts(scope: Scope) -> Facts:
    """Count everything: a fixed number of queries, whatever there is to count."""
    rows = _visits(scope)
    days: dict[int, Visits] = {}
    hours: Counter[tuple[int, int]] = Counter()
    for day, hour, counted in rows:
        days[day] = days.get(day, Visits()) + counted
        hours[(day + 3) % 7, hour] += counted.visits  # day 0, the first of 1970, was a Thursday
    return Facts(
        visits=sum((counted for _, _, counted in rows), Visits()),
        days=days,
        hours=hours,
        outcomes=_outcomes(scope),
        handoffs=_handoffs(scope),
        waiting=_waiting(scope),
        first_text=_first_text(scope),
        ratings=_ratings(scope),
        thumbs=_thumbs(scope),
        engines=_engines(scope),
        verdicts=_verdicts(scope),
    )


_VISITS = """
WITH disliked AS (
    SELECT r.reply_to_id AS id FROM chatbot_feedback f JOIN chatbot_message r ON r.id = f.message_id
    WHERE NOT f.helpful AND r.reply_to_id IS NOT NULL
), approved AS (
    SELECT r.reply_to_id AS id FROM chatbot_review v JOIN chatbot_message r ON r.id = v.reply_id
    WHERE v.decision IN ('approved', 'edited') AND r.reply_to_id IS NOT NULL
), said AS (
    SELECT c.site_id, c.visitor, m.id, m.outcome, {at} AS at
    FROM chatbot_message m JOIN chatbot_conversation c ON c.id = m.conversation_id
    WHERE m.role = 'customer' AND m.deleted IS NULL AND m.created >= %(early)s AND m.created < %(late)s AND {which}
), paused AS (
    SELECT *, at - LAG(at) OVER (PARTITION BY site_id, visitor ORDER BY at, id) AS pause FROM said
), marked AS (
    SELECT *, CASE WHEN pause <= {pause} THEN 0 ELSE 1 END AS starts FROM paused
), closed AS (
    SELECT *, COALESCE(LEAD(starts) OVER (PARTITION BY site_id, visitor ORDER BY at, id), 1) AS ends FROM marked
), moments AS (
    SELECT site_id, visitor, at, 0 AS kind, starts,
        CASE WHEN outcome = 'chitchat' THEN 0 ELSE 1 END AS asked,
        CASE WHEN outcome = 'agent' THEN 1 ELSE 0 END AS person,
        CASE WHEN ends = 1 AND id NOT IN (SELECT id FROM disliked)
            AND (outcome IN ('faq', 'answered') OR (outcome = 'review' AND id IN (SELECT id FROM approved)))
            THEN 1 ELSE 0 END AS helped
    FROM closed
    UNION ALL
    SELECT c.site_id, c.visitor, {called}, 1, 0, 1, 1, CASE WHEN h.result = 'closed' THEN 1 ELSE 0 END
    FROM chatbot_handoff h JOIN chatbot_conversation c ON c.id = h.conversation_id
    WHERE h.result <> 'approved' AND h.created >= %(early)s AND h.created < %(late)s AND {which}
), numbered AS (
    SELECT *, SUM(starts) OVER (PARTITION BY site_id, visitor ORDER BY at, kind ROWS UNBOUNDED PRECEDING) AS visit
    FROM moments
), visits AS (
    SELECT site_id, visitor, visit, MIN(at) AS began, MAX(CASE WHEN kind = 0 THEN at END) AS ended,
        MAX(asked) AS asked, MAX(person) AS person, MAX(helped) AS helped
    FROM numbered WHERE visit > 0 GROUP BY site_id, visitor, visit
), followed AS (
    SELECT *, LEAD(began) OVER (PARTITION BY site_id, visitor ORDER BY visit) AS next FROM visits
), judged AS (
    SELECT began, person, helped,
        CASE WHEN ended <= %(now)s - {pause} THEN 1 ELSE 0 END AS over,
        CASE WHEN ended <= %(now)s - {pause} AND asked = 1 THEN 1 ELSE 0 END AS matters,
        CASE WHEN ended <= %(now)s - {durable} THEN 1 ELSE 0 END AS old,
        CASE WHEN next IS NULL OR next - ended > {durable} THEN 1 ELSE 0 END AS away
    FROM followed WHERE began >= %(begin)s AND began < %(end)s
)
SELECT {day}, {hour}, COUNT(*), SUM(over), SUM(matters), SUM(matters * (1 - person)), SUM(matters * helped),
    SUM(matters * helped * (1 - person)), SUM(matters * helped * old), SUM(matters * helped * old * away)
FROM judged GROUP BY 1, 2 ORDER BY 1, 2
"""


def _visits(scope: Scope) -> list[tuple[int, int, Visits]]:
    """Return (day, hour, counts) by when visits began; days since 1970."""
    seconds, whole = _SECONDS[connection.vendor], _WHOLE[connection.vendor]
    local = f"(began + {int(scope.offset)})"
    day = whole.format(f"{local} / 86400")
    sql = _VISITS.format(
        at=seconds.format("m.created"),
        called=seconds.format("h.created"),
        which=_which(scope),
        pause=PAUSE,
        durable=DURABLE,
        day=day,
        hour=whole.format(f"({local} - {day} * 86400) / 3600"),
    )
    return [
        (int(row[0]), int(row[1]), Visits(*map(int, row[2:])))
        for row in _rows(
            sql,
            scope,
            early=_stored(scope.begin - timedelta(days=1)),
            late=_stored(scope.end + timedelta(days=8)),
            begin=scope.begin.timestamp(),
            end=scope.end.timestamp(),
            now=scope.now.timestamp(),
        )
    ]


_OF_VERDICTS = {
    "sqlite": (
        "json_extract(v.value, '$.tier'), json_extract(v.value, '$.action')",
        "json_each(e.verdicts) v",
    ),
    "postgresql": ("v->>'tier', v->>'action'", "jsonb_array_elements(e.verdicts) v"),
}


def _verdicts(scope: Scope) -> dict[tuple[str, str], int]:
    """Return how many verdicts the ledger holds, by tier ("" for none) and action."""
    columns, unnested = _OF_VERDICTS[connection.vendor]
    sql = f"""
        SELECT {columns}, COUNT(*)
        FROM chatbot_ledgerentry e JOIN chatbot_message m ON m.id = e.message_id
        JOIN chatbot_conversation c ON c.id = m.conversation_id, {unnested}
        WHERE m.created >= %(early)s AND m.created < %(late)s AND {_which(scope)} GROUP BY 1, 2
    """  # noqa: S608  nothing of it was typed by anybody
    rows = _rows(sql, scope, early=_stored(scope.begin), late=_stored(scope.end))
    return {(tier or "", action): int(count) for tier, action, count in rows}


def _rows(sql: str, scope: Scope, **values: Any) -> list[tuple[Any, ...]]:
    if not scope.sites:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, values | ({"language": scope.language} if scope.language else {}))
        return cast(list[tuple[Any, ...]], cursor.fetchall())


def _which(scope: Scope) -> str:
    sites = f"c.site_id IN ({', '.join(str(int(site)) for site in scope.sites)})"
    return f"{sites} AND c.language = %(language)s" if scope.language else sites


def _stored(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


class Seconds(Func):
    """A moment as seconds since 1970."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        return self.as_sql(compiler, connection, template=_SECONDS["sqlite"].format("%(expressions)s"), **options)

    def as_postgresql(self, compiler: Any, connection: Any, **options: Any) -> Any:
        return self.as_sql(compiler, connection, template=_SECONDS["postgresql"].format("%(expressions)s"), **options)


def _in(scope: Scope, conversation: str, created: str = "created") -> Q:
    """Return the condition that rows lie in the scope; `conversation` is the way to the conversation."""
    found = Q(
        **{f"{created}__gte": scope.begin, f"{created}__lt": scope.end, f"{conversation}__site__in": list(scope.sites)}
    )
    return found & Q(**{f"{conversation}__language": scope.language}) if scope.language else found


def _outcomes(scope: Scope) -> dict[tuple[str, str], int]:
    """Return how the bot's replies ended: {(outcome, reason): how many}."""
    said = Message.objects.filter(_in(scope, "conversation"), role=Message.Role.BOT).order_by()
    return {(o, r): n for o, r, n in said.values_list("outcome", "reason").annotate(n=Count("pk"))}


def _handoffs(scope: Scope) -> dict[str, int]:
    found = Handoff.objects.filter(_in(scope, "conversation")).order_by()
    return dict(found.values_list("reason").annotate(n=Count("pk")))


def _waiting(scope: Scope) -> Waiting:
    """Nobody waits who left a message outside hours, whom an agent joined unasked, or whose reply was approved."""
    left = Message.objects.filter(
        conversation=OuterRef("conversation"),
        role=Message.Role.SYSTEM,
        reason="closed",
        created__gte=OuterRef("created"),
    ).annotate(later=Seconds(F("created")) - Seconds(OuterRef("created")))
    written = Message.objects.filter(
        conversation=OuterRef("conversation"), role=Message.Role.AGENT, created__gte=OuterRef("created")
    ).order_by("created")
    called = (
        Handoff.objects.filter(_in(scope, "conversation"))
        .exclude(reason="agent")
        .exclude(result="approved")
        .exclude(Exists(left.filter(later__lt=5)))
        .annotate(
            wait=Seconds(F("taken")) - Seconds(F("created")),
            age=scope.now.timestamp() - Seconds(F("created")),
            limit=Cast(F("conversation__site__answer_within"), FloatField()),
        )
        .order_by()
    )
    in_time = Q(wait__lte=F("limit"))
    due = called.aggregate(
        due=Count("pk", filter=Q(taken__isnull=False) | Q(age__gt=F("limit"))), in_time=Count("pk", filter=in_time)
    )
    answered = called.annotate(first=Subquery(written.values("created")[:1])).filter(first__isnull=False)
    return Waiting(
        due["due"],
        due["in_time"],
        _spread(called.filter(taken__isnull=False), "wait"),
        _spread(answered.annotate(spoken=Seconds(F("first")) - Seconds(F("created"))), "spoken"),
    )


def _first_text(scope: Scope) -> Spread:
    """Return how long customers waited for the bot's first words."""
    taken = Cast(KeyTextTransform("first_text", "milliseconds"), FloatField()) / 1000.0
    return _spread(
        LedgerEntry.objects.filter(_in(scope, "message__conversation", "message__created"))
        .annotate(first=taken)
        .filter(first__isnull=False),
        "first",
    )


def _spread(rows: QuerySet[Any], name: str) -> Spread:
    """Return the nearest-rank percentiles of a column, in one pass over it."""
    try:
        inner, values = rows.order_by().values_list(name, flat=True).query.sql_with_params()
    except EmptyResultSet:  # of no site
        return Spread()
    sql = f"""
        WITH one(x) AS ({inner}),
        ranked AS (SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS r, COUNT(*) OVER () AS n FROM one)
        SELECT COUNT(*), MIN(CASE WHEN r * 100 >= n * 50 THEN x END), MIN(CASE WHEN r * 100 >= n * 95 THEN x END)
        FROM ranked
    """  # noqa: S608  Django wrote it
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        n, p50, p95 = cursor.fetchone()
    return Spread(n, float(p50), float(p95)) if n else Spread()


def _ratings(scope: Scope) -> Ratings:
    given = Rating.objects.filter(_in(scope, "conversation")).order_by()
    scores = dict(given.values_list("score").annotate(n=Count("pk")))
    mean = given.aggregate(mean=Avg("score"))["mean"]
    return Ratings(
        sum(scores.values()),
        sum(n for score, n in scores.items() if score >= 4),
        None if mean is None else float(mean),
        {score: scores.get(score, 0) for score in range(1, 6)},
    )


def _thumbs(scope: Scope) -> dict[str, int]:
    """Return how many thumbs: "up", "down", and those down by their reason."""
    given = Feedback.objects.filter(_in(scope, "message__conversation")).order_by()
    counted: Counter[str] = Counter({"up": 0, "down": 0})
    for helpful, reason, n in given.values_list("helpful", "reason").annotate(n=Count("pk")):
        counted["up" if helpful else "down"] += n
        if not helpful:
            counted[reason or "none"] += n
    return counted


def _engines(scope: Scope) -> list[Engine]:
    """Return who wrote the replies, the busiest first."""
    entries = LedgerEntry.objects.filter(_in(scope, "message__conversation", "message__created")).order_by()
    rows = (
        entries.values_list("engine")
        .annotate(
            n=Count("pk"),
            worse=Count("pk", filter=Q(degraded=True)),
            read=Sum("prompt_tokens"),
            written=Sum("reply_tokens"),
        )
        .order_by("-n", "engine")
    )
    return [Engine(*row) for row in rows]
