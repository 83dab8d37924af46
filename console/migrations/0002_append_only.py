"""Audit entries can only be added."""

from django.db import migrations

from console import append_only


def forward(apps, schema_editor):
    append_only.protect(schema_editor.connection)


def back(apps, schema_editor):
    append_only.release(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [('console', '0001_initial')]

    operations = [migrations.RunPython(forward, back)]
