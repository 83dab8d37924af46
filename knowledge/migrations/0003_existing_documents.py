"""Documents from before there were versions and releases: what is live becomes version 1, in one release."""

from django.db import migrations


def to_releases(apps, schema_editor):
    base_model, version_model, release_model, item_model = (
        apps.get_model("knowledge", name) for name in ("KnowledgeBase", "DocumentVersion", "Release", "ReleaseItem")
    )
    stages = {"live": "ready", "retired": "ready", "refused": "refused"}
    for base in base_model.objects.all():
        number = max(base.version, 1)
        release = release_model.objects.create(base=base, number=number, state="published", note="before releases")
        release_model.objects.filter(pk=release.pk).update(published_at=release.created)
        for document in base.documents.all():
            version = version_model.objects.create(
                document=document,
                number=1,
                stage=stages[document.state],
                reason=document.reason,
                content_hash=document.content_hash,
                made_with=document.made_with,
                finished=document.created,
            )
            document.chunks.update(version=version)
            document.versions_made = 1
            document.save(update_fields=["versions_made"])
            if document.state == "live":
                item_model.objects.create(release=release, document=document, version=version)
        base.published, base.releases_made = release, number
        base.save(update_fields=["published", "releases_made"])


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0002_releases")]
    operations = [migrations.RunPython(to_releases, migrations.RunPython.noop)]
