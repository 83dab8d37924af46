"""The JSON frames between a console and the server, version 1. All texts are masked.

Console to server, one JSON object a text frame: the classes below, by `type`. The first is `hello`. Every command but
hello, typing and ping has an `id` (a UUID of its own) and is answered by exactly one `done {id, …}` or
`error {id, code, message}`; a repeated `reply` or `note` under its id does nothing twice.

Server to console
    welcome {protocol, user, name, roles, sites: [{key, name, languages}], may: [action], available}
    reviews {reviews: [review]}                 in `done` of `reviews`: what waits for a reviewer, most urgent first
    inbox {conversations: [row], more}          in `done` of `inbox`; `more` is the next `before` or null
    counts {counts: {view: number}}             in `done` of `counts`
    team {people: [person], queue}              in `done` of `team`: who works on one's sites, and what waits there
    customer {profile, vouched, tags, earlier: [row], moods: [{at, sentiment}], messages: {id: message}, rating}
                                                in `done` of `customer`: beside the conversation itself; `vouched`:
                                                the site, not the customer, says what `profile` says
    conversation {row}                          a row that changed, of a site that one may see
    opened {row, summary, notes, draft, limit}  in `done` of `watch`; its events follow
    event {conversation, event}                 a watched conversation's event, as in chatbot/protocol.py;
                                                numbered ones strictly grow and none is missing
    notes {conversation, notes}                 a watched conversation has new notes: all of them
    typing {conversation, author}               an agent writes in a watched conversation
    reload {}                                   rows changed unseen: load the list again
    service {state: ok | degraded}    pong {}
    error {code, message, id}
Row: {conversation, site, language, state: bot | waiting | message | taken | closed, reason, topic, since, offered_to,
agent, preview, role, updated, review: the deadline of what waits for a reviewer, or null, visitor: a short name for
who writes, within: seconds within which a person should take who waits, asked: since when the customer's last message
has stood there unanswered, or null, intent, sentiment, tags: [name], match: where `query` was found, with `query` only}
Person: {user, name, roles, sites: [key] or null for all, languages, skills, capacity, load, offered, available, here:
null when unknown, taken: conversations since yesterday}. Queue: [{site, waiting, message, since: the oldest, within}].
Message: {helpful, why, comment: the customer's thumb, wrong: the reason of staff's report, by} with what there is.
Review: {review, conversation, site, language, direction: in | out, verdict: {tier, categories, score}, asked: [text],
said, held, context: [{role, text, at}], since, deadline, seconds left}; a row whose `review` changes says that there
are others now. `decide` chooses: approve (in: the bot answers the message; out: `held` is said), edit (out only: `text`
is said instead), reject. The first one wins.
Codes of errors: bad_frame, not_allowed, not_found, not_owner (with `owner`), conflict (with `decision`; without: the id
was used before for another text), personal_data (a tag must hold none), blocked and review (with `categories`; a review
is sent when `confirmed`), service_unavailable, masking_unavailable, guards_unavailable (nobody could judge the text, so
it was not sent; with `message`), too_fast, internal.
"""

from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

VERSION = 1
MOST_CHARACTERS = 64_000  # of a frame
CLOSE_BAD_HELLO, CLOSE_NO_HELLO, CLOSE_REFUSED, CLOSE_TOO_FAST = 4400, 4401, 4403, 4429

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^[^\x00]*$")]
Key = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]
Sort = Literal["newest", "oldest", "wait"]
View = Literal["waiting", "mine", "taken", "message", "bot", "closed", "all"]


class FrameError(Exception):
    """A frame that cannot be understood. `frame_id` is its id, where that can be read."""

    def __init__(self, frame_id: str | None = None) -> None:
        super().__init__("bad_frame")
        self.frame_id = frame_id


class Frame(BaseModel):
    """What every frame has in common; `action` is what the sender must be allowed to do (rules.py)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    action: ClassVar[str | None] = None


class Hello(Frame):
    type: Literal["hello"]
    protocol: Literal[1]
    language: Literal["zh", "en"] = "en"


class Ping(Frame):
    type: Literal["ping"]


class Command(Frame):
    """A frame that is answered."""

    id: UUID


class Inbox(Command):
    """List conversations; at most 50, those after `before` (from `more`) in the order that `sort` names.

    Empty filters let everything through. `wait`: seconds that somebody waits at least; `late`: longer than their site
    wants. Each word of `query` stands in a text of the conversation.
    """

    type: Literal["inbox"]
    view: View = "waiting"
    site: Key = ""
    language: Literal["", "zh", "en"] = ""
    topic: Key = ""
    sentiment: Literal["", "positive", "neutral", "negative"] = ""
    tag: Key = ""
    agent: Name | Literal[""] = ""
    wait: Annotated[int, Field(ge=0, le=604_800)] = 0
    late: bool = False
    query: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00]*$")] = ""
    sort: Sort = "newest"
    before: Annotated[str, StringConstraints(max_length=100)] = ""
    action = "see_conversation"


class Counts(Command):
    """Count the conversations of each view."""

    type: Literal["counts"]
    site: Key = ""
    action = "see_conversation"


class Team(Command):
    """List who works on one's sites, what they have to do, and how long customers wait."""

    type: Literal["team"]
    action = "see_team"


class Reviews(Command):
    """List what waits for a reviewer on one's sites, at most 50."""

    type: Literal["reviews"]
    action = "review"


class Decide(Command):
    """Decide what the guards would not. An edit has a text, nothing else has."""

    type: Literal["decide"]
    review: UUID
    decision: Literal["approve", "edit", "reject"]
    text: Text | None = None
    action = "review"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.decision == "edit") != (self.text is not None):
            raise ValueError("an edit has a text, nothing else has")
        return self


class Available(Command):
    """Say whether one wants to be offered conversations."""

    type: Literal["available"]
    available: bool
    action = "take"


class OfConversation(Command):
    """A command about one conversation."""

    conversation: UUID


class Watch(OfConversation):
    """Open a conversation; its events after number `after` follow, until `unwatch`."""

    type: Literal["watch"]
    after: Annotated[int, Field(ge=0, lt=2**53)] = 0
    action = "see_conversation"


class Unwatch(OfConversation):
    type: Literal["unwatch"]
    action = "see_conversation"


class Customer(OfConversation):
    """Ask for what is known beside the conversation: who writes, what was before, how it feels."""

    type: Literal["customer"]
    action = "see_conversation"


class PutTag(OfConversation):
    """Put a tag on a conversation, or take it off."""

    type: Literal["tag"]
    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*$")
    ]
    on: bool = True
    action = "note"


class Take(OfConversation):
    type: Literal["take"]
    action = "take"


class Transfer(OfConversation):
    """Give a conversation to another agent, by user name."""

    type: Literal["transfer"]
    to: Name
    action = "transfer"


class HandBack(OfConversation):
    type: Literal["hand_back"]
    action = "hand_back"


class Close(OfConversation):
    """The matter is settled: the conversation rests until the customer writes again."""

    type: Literal["close"]
    action = "close"


class Reply(OfConversation):
    type: Literal["reply"]
    text: Text
    confirmed: bool = False
    action = "reply"


class WriteNote(OfConversation):
    """Something for other staff; the customer never sees it."""

    type: Literal["note"]
    text: Text
    action = "note"


class Typing(Frame):
    """Not answered; the customer sees it for a few seconds."""

    type: Literal["typing"]
    conversation: UUID
    action = "reply"


class Reveal(OfConversation):
    """Ask for the original behind one placeholder; `why` goes into the audit log with it."""

    type: Literal["reveal"]
    placeholder: Annotated[str, StringConstraints(max_length=64)]
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=300, pattern=r"^[^\x00]*$")]
    action = "reveal"


AnyFrame = (
    Hello
    | Ping
    | Inbox
    | Counts
    | Team
    | Reviews
    | Decide
    | Available
    | Watch
    | Unwatch
    | Customer
    | PutTag
    | Take
    | Transfer
    | HandBack
    | Close
    | Reply
    | WriteNote
    | Typing
    | Reveal
)
FRAMES: TypeAdapter[AnyFrame] = TypeAdapter(Annotated[AnyFrame, Field(discriminator="type")])


def read_frame(text: str) -> AnyFrame:
    """Return the frame in `text`. Raises FrameError."""
    if len(text) > MOST_CHARACTERS:
        raise FrameError
    try:
        return FRAMES.validate_json(text)
    except ValidationError:
        raise FrameError(_id_of(text)) from None


def frame(type_: str, **fields: Any) -> str:
    """Return a server frame."""
    return orjson.dumps({"type": type_, **fields}).decode()


def _id_of(text: str) -> str | None:
    try:
        data = orjson.loads(text)
        return str(UUID(data["id"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
