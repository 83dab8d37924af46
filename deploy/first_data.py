"""Migrates the database and loads the demo site and its documents, all in one process.

Prints `account<TAB>name<TAB>password` for each account that it made, and `documents<TAB>…`; logs go to standard error.
"""

import hashlib
import io
import json
import os
from contextlib import redirect_stdout

from config.environment import ROOT, config

BASE, DOCUMENTS = "demo", ROOT / "demo" / "knowledge"
STAMP = "first_data"
CODE = ("*/migrations/*.py", "knowledge/**/*.py", "guardrails/**/*.*", "*/management/**/*.py", "deploy/first_data.py")


def inputs_hash() -> str:
    """Changes whenever migrating or importing could do something new."""
    options = config()
    digest = hashlib.sha256(f"{options.database_url} {options.var} {options.models}".encode())
    files = [path for pattern in (*CODE, "demo/knowledge/**/*") for path in ROOT.glob(pattern)]
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


def main() -> None:
    import django
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    before = inputs_hash()
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("demo")
    said = io.StringIO()
    with redirect_stdout(said):
        call_command("knowledge", "import", str(DOCUMENTS), "--base", BASE, stdout=said)
    documents = [json.loads(line) for line in said.getvalue().splitlines() if line.startswith("{")]
    refused = [document for document in documents if document.get("reason")]
    chunks = sum(document.get("chunks") or 0 for document in documents)
    print(f"documents\t{len(documents) - len(refused)} documents, {chunks} passages", *refused)
    (config().var / STAMP).write_text(before)


if __name__ == "__main__":
    main()
