"""What the API takes and gives, as pydantic models: they are its documentation, too."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

Then = Literal["draft", "publish", "urgent"]


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class Error(Schema):
    """Why a request was refused: `code` for programs, `message` for people; every refusal has this shape."""

    model_config = _example(code="not_found", message="there is no such document")

    code: str
    message: str


class Page(Schema):
    """Which part of a list."""

    offset: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=500)


class Upload(Schema):
    """What goes with a file."""

    name: str = Field("", max_length=500, description="of the document; empty: the file's")
    then: Then = "draft"
    twice: bool = Field(default=False, description="also when another document says the same")


class Taken(Schema):
    """What came of a file: `state` is stored, unchanged, duplicate or refused."""

    document: str
    state: str
    version: int | None = Field(None, description="its id; ask for it to follow how it is made")
    reason: str = ""


class VersionOut(Schema):
    """A version of a document."""

    id: int
    document: str
    number: int
    stage: str
    reason_code: str
    reason: str
    done: int = Field(description="of `total`, in the running stage")
    total: int
    bytes: int
    author: str
    note: str
    created: datetime
    finished: datetime | None
    notices: list[list[str]]
    findings: int = Field(description="personal data and injections found in it")


class PreviewIn(Schema):
    """What goes with a file that is only to be looked at."""

    name: str = Field("", max_length=500, description="of the document that it would be; empty: the file's")


class PurgeIn(Schema):
    """Removing for good cannot be undone, so the document is named again."""

    model_config = _example(name="returns.md", published=True)

    name: str = Field(max_length=500, description="the document's name, letter by letter")
    published: bool = Field(default=False, description="also while it answers: it is retired first")


class ProofIn(Schema):
    """Which purged document is to be searched for."""

    model_config = _example(name="returns.md")

    name: str = Field(max_length=500, description="of the document, as it was")


class DocumentOut(Schema):
    """A document: the version that answers now, and the newest one."""

    id: int
    name: str
    live: int | None = Field(description="number of the version that answers, none when it does not")
    newest: int
    stage: str
    reason: str
    chunks: int = Field(description="of the version that answers")


class Documents(Schema):
    """A page of documents."""

    count: int
    documents: list[DocumentOut]


class Finding(Schema):
    """Personal data, or an order to the model, that was found in a version."""

    id: str
    kind: str
    chunk: int
    field: str
    start: int
    end: int
    entity: str
    shown: bool
    decision: str


class PreviewOut(Schema):
    """What a file would become; nothing of it is stored for good. `chunks` is the page that was asked for."""

    document: str
    same_as: str = Field(description="another document that says the same; it would be refused as a duplicate")
    count: int = Field(description="chunks that were examined")
    left_out: int = Field(description="chunks after these, which were not")
    chunks: list["ChunkOut"]
    findings: list[Finding] = Field(description="those of these chunks")
    quarantined: bool = Field(description="it would wait in quarantine: it gives the model orders")
    notices: list[list[str]]
    edits: int = Field(description="edits of the document that would be in it")


class Purged(Schema):
    """What was removed, in numbers, and what could not be."""

    versions: int = 0
    chunks: int = 0
    vectors: int = 0
    files: int = 0
    replies: int = 0
    redis: str = ""
    database: str = ""
    note: str = ""


class Store(Schema):
    """A store that was searched: entries in it, places in which something is left, the first of them."""

    store: str
    entries: int
    left: int
    found: list[str]
    note: str


class Proof(Schema):
    """Whether anything of a purged document is left."""

    gone: bool
    purged: str
    stores: list[Store]


class JobOut(Schema):
    """Work of the desk: `state` is waiting, running, done or failed (then `code` and `reason` say why)."""

    id: UUID
    kind: Literal["preview", "purge", "proof"]
    state: Literal["waiting", "running", "done", "failed"]
    code: str
    reason: str
    author: str
    created: datetime
    finished: datetime | None
    preview: PreviewOut | None = None
    purged: Purged | None = None
    proof: Proof | None = None


class Decisions(Schema):
    """Decisions by the ids of findings. `for_base`: the same values in later documents, too."""

    model_config = _example(decisions={"0.text.14": "publish"}, for_base=True, then="draft")

    decisions: dict[str, Literal["publish", "mask"]]
    for_base: bool = False
    then: Then = "draft"


class Content(Schema):
    """What can be changed of a chunk."""

    text: str = Field(max_length=20_000)
    heading: str = Field("", max_length=2_000)
    question: str = Field("", max_length=2_000)
    questions: list[str] = Field([], max_length=50)
    enabled: bool = True


class ChunkOut(Content):
    """A chunk of a version."""

    position: int
    ref: str
    source: str
    language: str


class Chunks(Schema):
    """A page of a version's chunks."""

    count: int
    chunks: list[ChunkOut]


class EditIn(Schema):
    """Neighbours from `first` to `last` become `contents`: one for one is a change, more a split, fewer a merge."""

    first: int = Field(ge=0)
    last: int = Field(ge=0)
    contents: list[Content] = Field(max_length=50)


class Edits(Schema):
    """Edits of the version of that number: refused when it is not the newest any more."""

    model_config = _example(
        number=3,
        edits=[{"first": 0, "last": 0, "contents": [{"text": "Returns within 30 days.", "heading": "Returns"}]}],
    )

    number: int
    edits: list[EditIn] = Field(min_length=1, max_length=200)
    note: str = Field("", max_length=300)
    then: Then = "draft"


class Metadata(Schema):
    """What is said of a document: key and value."""

    model_config = _example(metadata={"kind": "shipping", "season": ""})

    metadata: dict[str, str]


class Restored(Schema):
    """Make an old version the newest again."""

    model_config = _example(number=2, then="draft")

    number: int
    then: Then = "draft"


class DifferenceOut(Schema):
    """A chunk in two versions; `text` is the changed text in pieces: "=" in both, "-" before, "+" after."""

    change: str
    before: int | None
    after: int | None
    text: list[tuple[str, str]]


class ChangeOut(Schema):
    """A document that the draft changes: numbers of its versions, before and after."""

    document: str
    before: int | None
    after: int | None


class ResultOut(Schema):
    """How a golden question was treated."""

    question: str
    right: bool
    was_right: bool | None
    why: str
    answerable: bool
    confidence: float
    found: list[str]


class ExaminationOut(Schema):
    """How the golden questions were answered."""

    revision: int
    right: int
    lost: int
    gained: int
    created: datetime
    results: list[ResultOut]


class Draft(Schema):
    """What is not published yet, and its last examination if it was examined as it is."""

    number: int | None
    revision: int
    changes: list[ChangeOut]
    examination: ExaminationOut | None
    gate: str = Field(description='"" when it may be published, else why not: "not_examined" or "lost"')


class Publish(Schema):
    """Publish the draft at the revision that was looked at; `urgent` before it is examined."""

    model_config = _example(revision=7, urgent=False)

    revision: int
    urgent: bool = False


class Rollback(Schema):
    """Go back to the release of that number; without it to the one before."""

    model_config = _example(number=4)

    number: int | None = None


class ReleaseOut(Schema):
    """A release that answers or has answered."""

    number: int
    live: bool
    urgent: bool
    author: str
    published_at: datetime | None


class GoldenIn(Schema):
    """A golden question and its right treatment."""

    model_config = _example(
        question="How long may I return something?", expects="answer", document="returns.md", facts=["30 days"]
    )

    question: str = Field(min_length=1, max_length=2_000)
    expects: Literal["answer", "refusal"] = "answer"
    document: str = Field("", max_length=500)
    facts: list[str] = Field([], max_length=20)


class GoldenOut(GoldenIn):
    """A golden question that is kept."""

    model_config = _example(
        question="How long?", origin="thumbs_down", author="li", created="2026-11-22T09:00:00Z", facts=["30 days"]
    )

    origin: str
    author: str
    created: datetime


class FindingOut(Schema):
    """Something in the documents to look at: duplicate, contradiction, expired, unused."""

    id: int
    kind: str
    touched: int = Field(description="conversations that met it")
    chunks: list[int]
    detail: dict[str, Any]


class GapOut(Schema):
    """Questions alike that the documents do not answer, masked, and the draft of an answer."""

    id: int
    question: str
    conversations: int
    state: str
    draft: dict[str, Any]


class GapAnswer(Schema):
    """An answer to a gap; it becomes a document of one question and its answer."""

    model_config = _example(
        question="Do you deliver to Iceland?", answer="Yes, within ten days, for 90 yuan.", then="publish"
    )

    question: str = Field(min_length=1, max_length=2_000)
    answer: str = Field(min_length=1, max_length=20_000)
    then: Then = "draft"


class Query(Schema):
    """A question, with what was said before it, the oldest first."""

    model_config = _example(question="And to Iceland?", history=["What does a parcel cost?"], top=5)

    question: str = Field(min_length=1, max_length=2_000)
    history: list[str] = Field([], max_length=20)
    top: int = Field(5, ge=1, le=20)
    filters: dict[str, list[str]] = Field(
        {}, max_length=20, description="only documents with one of these values for every key; also language, document"
    )


class PassageOut(Schema):
    """A passage with its scores."""

    document: str
    ref: str
    heading: str
    question: str
    text: str
    score: float
    dense: float
    bm25: float
    rerank: float | None = Field(None, description="where there is a reranker and it was in time")


class Why(Schema):
    """What was found for a question, whether it is answered, and with what words."""

    question: str = Field(description="as it was searched for")
    release: int
    answerable: bool
    confidence: float
    exact: bool
    answer: str
    passages: list[PassageOut]
