"""Migrates the database and loads the demo site and its documents, all in one process.

Prints `account<TAB>name<TAB>password` for each account that it made, and `documents<TAB>…`; logs go to standard error.
"""

import hashlib
import io
import json
import os
from contextlib import redirect_stdout, suppress
from typing import Any

from config.environment import ROOT, config

BASE, DOCUMENTS = "demo", ROOT / "demo" / "knowledge"
QUESTIONS, ERROR = ROOT / "demo" / "questions.dev.jsonl", 0.05
STAMP = "first_data"
CODE = (
    "*/migrations/*.py",
    "*/management/**/*.py",
    "deploy/first_data.py",
    "desk/**/*.py",
    "guardrails/**/*.*",
    "knowledge/**/*.py",
)


def inputs_hash() -> str:
    """Changes whenever migrating or importing could do something new."""
    options = config()
    digest = hashlib.sha256(f"{options.database_url} {options.var} {options.models}".encode())
    files = [path for pattern in (*CODE, "demo/knowledge/**/*", "demo/*.dev.jsonl") for path in ROOT.glob(pattern)]
    for path in sorted({*files, *options.models.glob("*/kefu.json")}):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(path.anchor)).encode() + path.read_bytes())
    return digest.hexdigest()


def is_done() -> bool:
    """Whether the last run had the same inputs and its database is still there."""
    options = config()
    stamp = options.var / STAMP
    database = bool(options.database_url) or (options.var / "kefu.sqlite3").exists()
    return database and stamp.exists() and stamp.read_text() == inputs_hash()


def import_documents(folder: str) -> list[dict[str, Any]]:
    """Runs `knowledge import` and returns its lines. The command ends with an exit status, as on the shell."""
    from django.core.management import call_command

    said = io.StringIO()
    with redirect_stdout(said), suppress(SystemExit):
        call_command("knowledge", "import", folder, "--base", BASE)
    return [json.loads(line) for line in said.getvalue().splitlines()]


def calibrate() -> None:
    """Has the demo's base answer as much as it can while of what it cannot answer one in twenty may slip through."""
    from desk import examination
    from knowledge.models import KnowledgeBase

    rows = [json.loads(line) for line in QUESTIONS.read_text("utf-8").splitlines()]
    base = KnowledgeBase.objects.get(slug=BASE)
    examination.calibrate(base, [(row["question"], row["answerable"]) for row in rows], error=ERROR)


def main() -> None:
    import django
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    before = inputs_hash()
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    from knowledge.models import KnowledgeBase

    is_new = not KnowledgeBase.objects.filter(slug=BASE).exists()
    documents = import_documents(str(DOCUMENTS))
    refused = [f"{document['document']}: {document['reason']}" for document in documents if document["reason"]]
    if refused:
        raise SystemExit("\n".join(refused))
    if is_new:  # later it is for those who work with it
        calibrate()
    call_command("demo")  # last, because a start that fails would lose the passwords
    print(f"documents\t{len(documents)} documents, {sum(document['chunks'] for document in documents)} passages")
    (config().var / STAMP).write_text(before)


if __name__ == "__main__":
    main()
