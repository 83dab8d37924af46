"""A busy shop in the database: conversations, what was said of them, and documents; invented, the same for a seed."""

import random
import uuid
from datetime import datetime, timedelta
from itertools import islice

from django.contrib.auth.models import User
from django.utils import timezone

from chatbot.models import Conversation, Feedback, Handoff, LedgerEntry, Message, Rating, Review, Site
from console.models import CannedReply, Note, Tag, WrongAnswer
from knowledge.models import (
    Chunk,
    Document,
    DocumentVersion,
    Examination,
    Gap,
    GoldenQuestion,
    KnowledgeBase,
    RadarFinding,
    Release,
    ReleaseItem,
)

BATCH = 2_000
ASKED = {
    "zh": [
        "退货运费由谁承担？", "帐篷的外帐能单独买吗？", "我的订单 <ORDER_1> 什么时候发货？", "发票能改吗？",
        "这双靴子穿着磨脚，还能换吗？", "门店周末几点关门？", "请帮我转人工", "等了三周还没收到，太让人失望了！",
    ],
    "en": [
        "Who pays for sending it back?", "Can I buy the fly sheet alone?", "When will my order <ORDER_1> be sent?",
        "The name on my invoice is wrong.", "My boots rub after one hike. Can I still exchange them?",
        "When does the shop close on Saturdays?", "A person, please", "Three weeks and nothing has come. I am fed up!",
    ],
}  # fmt: skip
SAID = {
    "zh": "签收后 15 天内可以退换。因质量问题退回的，运费由我们承担；其他情况由您承担，约 12 元。[1]",
    "en": "You may send it back within 15 days. If it was our fault we pay for that; otherwise it is about ¥12. [1]",
}
OUTCOMES = [("faq", ""), ("answered", ""), ("answered", ""), ("handed_off", "no_answer"), ("handed_off", "requested"),
            ("refused", "reply_block"), ("chitchat", "greeting")]  # fmt: skip
LONG = "这是一段特别长的话，用来看看页面会不会被撑开。" * 40 + "withoutanyspaceatall" * 30
ARABIC = "محمد بن عبد الله"


def fill(site: Site, agents: list[User], *, conversations: int, seed: int = 7) -> None:
    """Add that many conversations of the last 90 days to the site, with messages, ledgers, hand-offs and ratings."""
    dice, now = random.Random(seed), timezone.now()
    tags = [Tag.objects.get_or_create(name=name)[0] for name in ("退货", "VIP", "complaint", "size")]
    made = [_conversation(site, agents, dice, now) for _ in range(conversations)]
    messages, ledgers, handoffs, reviews, asked, thumbs, ratings, notes, wrong = ([] for _ in range(9))  # type: ignore[var-annotated]
    for place, chat in enumerate(made):
        at = chat.created
        for turn in range(dice.randint(1, 4)):
            question = _message(chat, "customer", dice.choice(ASKED[chat.language]), at)
            if place == 1 and not turn:
                question.text = LONG
            outcome, reason = dice.choice(OUTCOMES)
            held = chat.owner == "bot" and place % 97 == 0 and not turn
            question.outcome = "review" if held else outcome
            answer = _message(chat, "bot", SAID[chat.language], at + timedelta(seconds=2), outcome, reason)
            answer.reply_to = question
            messages += [question, answer]
            ledgers.append(_ledger(answer, dice))
            if held:
                answer.outcome, answer.reason = "review", "reply_review"
                deadline = now + timedelta(seconds=dice.randint(60, 900))
                review = Review(conversation=chat, reply=answer, direction="out", held=SAID[chat.language],
                                tier="classifier", categories=["offensive"], score=0.71, deadline=deadline)  # fmt: skip
                reviews.append(review)
                asked.append(Review.messages.through(review=review, message=question))
            elif dice.random() < 0.2:
                helpful = dice.random() < 0.8
                thumbs.append(Feedback(message=answer, helpful=helpful, reason="" if helpful else "incomplete"))
            elif dice.random() < 0.01:
                wrong.append(WrongAnswer(message=answer, reason="outdated", reporter=agents[0]))
            at += timedelta(minutes=dice.randint(1, 6))
        if chat.owner == "agent" or dice.random() < 0.25:
            handoffs.append(_handoff(chat, agents, dice, at))
        if dice.random() < 0.15:
            ratings.append(Rating(conversation=chat, score=dice.choice([5, 5, 4, 4, 3, 1]), comment=""))
        if dice.random() < 0.05:
            notes.append(
                Note(
                    conversation=chat,
                    author=agents[0],
                    author_name=ARABIC,
                    client_id=uuid.UUID(int=dice.getrandbits(128)),
                    text="VIP, please be quick",
                )
            )
        chat.updated = at
    for number, message in enumerate(messages, 1):
        message.sequence = message.conversation.sequence_ceiling = number
    for rows in (made, messages, ledgers, handoffs, reviews, asked, thumbs, ratings, notes, wrong):
        _insert(rows)
    Conversation.objects.bulk_update(made, ["created", "updated"], batch_size=500)
    for rows, fields in (
        (messages, ["created"]),
        (ledgers, ["created"]),
        (handoffs, ["created"]),
        (thumbs, ["created"]),
        (ratings, ["created"]),
    ):  # type: ignore[assignment]
        _date(rows, fields)
    links = [Tag.conversations.through(tag=dice.choice(tags), conversation=chat) for chat in made[::11]]
    _insert(links)
    CannedReply.objects.get_or_create(
        shortcut="hello", language="en", site=None, defaults={"text": "Hello {customer}, this is {agent}."}
    )


def _date(rows: list, fields: list[str]) -> None:  # type: ignore[type-arg]
    """auto_now has put the time of writing there."""
    if rows:
        type(rows[0]).objects.bulk_update(rows, fields, batch_size=500)


def _insert(rows: list) -> None:  # type: ignore[type-arg]
    if rows:
        kept = [getattr(row, "created", None) for row in rows]
        type(rows[0])._default_manager.bulk_create(rows, batch_size=BATCH)
        for row, created in zip(rows, kept, strict=True):
            if created is not None:
                row.created = created


def _conversation(site: Site, agents: list[User], dice: random.Random, now: datetime) -> Conversation:
    owned = dice.random() < 0.02
    created = now - timedelta(seconds=dice.expovariate(1 / (20 * 86_400)) % (90 * 86_400))
    closed = created + timedelta(hours=1) if not owned and dice.random() < 0.8 else None
    return Conversation(
        site=site,
        visitor=uuid.UUID(int=dice.getrandbits(128)),
        language=dice.choice(["zh", "zh", "en"]),
        owner="agent" if owned else "bot",
        agent=dice.choice(agents) if owned else None,
        profile="name: <NAME_1>" if dice.random() < 0.2 else "",
        created=created,
        closed=closed,
    )


def _message(chat: Conversation, role: str, text: str, at: datetime, outcome: str = "", reason: str = "") -> Message:
    sources = [{"id": "returns", "heading": "退换货", "excerpt": "15 天", "url": ""}] if role == "bot" else []
    return Message(conversation=chat, role=role, text=text, language=chat.language, created=at, outcome=outcome,
                   reason=reason, sources=sources)  # fmt: skip


def _ledger(answer: Message, dice: random.Random) -> LedgerEntry:
    return LedgerEntry(
        message=answer, intent=dice.choice(["refund", "shipping", "invoice", "other"]),
        sentiment=dice.choice(["neutral", "neutral", "negative", "positive"]), question=ASKED[answer.language][0],
        engine="extractive", confidence=round(dice.random(), 3), knowledge_version=1, passages=[[1, 0.91], [2, 0.55]],
        verdicts=[{"action": "pass", "tier": None, "categories": [], "score": 0.0}], prompt_tokens=900,
        reply_tokens=60, milliseconds={"screen": 3.0, "understand": 5.1, "search": 12.4, "write": 20.0},
        created=answer.created,
    )  # fmt: skip


def _handoff(chat: Conversation, agents: list[User], dice: random.Random, at: datetime) -> Handoff:
    state = "taken" if chat.owner == "agent" else ("ended" if chat.closed or dice.random() < 0.7 else "waiting")
    taken = at + timedelta(seconds=dice.randint(5, 400)) if state != "waiting" else None
    return Handoff(
        conversation=chat, state=state, reason=dice.choice(["no_answer", "requested", "upset", "refused_twice"]),
        topic="refund", agent=chat.agent or (dice.choice(agents) if taken else None), created=at, taken=taken,
        ended=at + timedelta(minutes=20) if state == "ended" else None, result="closed" if state == "ended" else "",
    )  # fmt: skip


def fill_knowledge(base: KnowledgeBase, *, documents: int, chunks: int) -> None:
    """Publish that many documents with that many chunks in all; golden questions, gaps and findings, too."""
    release = Release.objects.create(base=base, number=base.releases_made + 1, state="published", author="knowledge",
                                     published_at=timezone.now())  # fmt: skip
    rows = [Document(base=base, name=f"手册/chapter-{number:03}.md", versions_made=1) for number in range(documents)]
    _insert(rows)
    versions = [DocumentVersion(document=row, number=1, stage="ready", content_hash=f"{row.pk:064x}", bytes=4_000,
                                author="knowledge", finished=timezone.now()) for row in rows]  # fmt: skip
    _insert(versions)
    _insert([ReleaseItem(release=release, document=v.document, version=v) for v in versions])
    each = -(-chunks // documents)
    texts = (
        Chunk(version=version, position=position, ref=f"chapter#{position}", heading=f"第 {position} 节",
              text=f"{SAID['zh']} {SAID['en']} ({version.pk}.{position})", language="zh",
              guard_version="1", origin=f"{version.pk}.{position}")
        for version in versions for position in range(each)
    )  # fmt: skip
    _insert(list(islice(texts, chunks)))
    _insert([GoldenQuestion(base=base, question=f"{ASKED['zh'][n % 8]} {n}") for n in range(200)])
    results = [{"key": f"{n:032x}", "question": f"{n}", "right": True, "was_right": True, "why": "",
                "answerable": True, "confidence": 0.9, "found": []} for n in range(200)]  # fmt: skip
    Examination.objects.create(release=release, revision=0, results=results, right=200, lost=0, gained=0)
    _insert([Gap(base=base, question=f"Do you ship to the moon? {n}", conversations=n,
                 questions=[{"text": "Do you ship to the moon?", "message": ""}] * 5) for n in range(120)])  # fmt: skip
    some = list(Chunk.objects.filter(version__document__base=base).values_list("pk", flat=True)[:200])
    _insert([RadarFinding(base=base, kind=kind, key=f"{kind}{n}", chunks=some[n : n + 2], touched=n)
             for n in range(60) for kind in ("duplicate", "expired")])  # fmt: skip
    KnowledgeBase.objects.filter(pk=base.pk).update(published=release, releases_made=release.number)
