"""What makes the database itself refuse to change or delete audit entries, on SQLite and on PostgreSQL."""

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "console_auditentry"
_REFUSE = "BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END"
_PROTECT = {
    "sqlite": (
        f"CREATE TRIGGER {TABLE}_update BEFORE UPDATE ON {TABLE} {_REFUSE}",
        f"CREATE TRIGGER {TABLE}_delete BEFORE DELETE ON {TABLE} {_REFUSE}",
        # INSERT OR REPLACE deletes without asking the trigger above.
        """
        CREATE TRIGGER console_auditentry_replace BEFORE INSERT ON console_auditentry
        WHEN NEW.id IN (SELECT id FROM console_auditentry) OR NEW.digest IN (SELECT digest FROM console_auditentry)
        BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END
        """,
    ),
    "postgresql": (
        f"CREATE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit entries are never changed'; END $$",
        f"CREATE TRIGGER {TABLE}_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
    ),
}
_RELEASE = {
    "sqlite": tuple(f"DROP TRIGGER {TABLE}_{what}" for what in ("update", "delete", "replace")),
    "postgresql": (f"DROP TRIGGER {TABLE}_refuse ON {TABLE}", f"DROP FUNCTION {TABLE}_refuse()"),
}


def protect(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers. A migration that rebuilds the table on SQLite must call it again."""
    _run(connection, _PROTECT)


def release(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away: for migrating back, and for tests that empty the database."""
    _run(connection, _RELEASE)


def _run(connection: BaseDatabaseWrapper, statements: dict[str, tuple[str, ...]]) -> None:
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)
