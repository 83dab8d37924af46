"""What versions and releases hold now is no longer kept with documents and bases."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0003_existing_documents")]

    operations = [
        migrations.AlterModelOptions(
            name='chunk',
            options={'ordering': ['version', 'position']},
        ),
        migrations.RemoveConstraint(
            model_name='chunk',
            name='one_chunk_a_position',
        ),
        migrations.RemoveField(
            model_name='chunk',
            name='document',
        ),
        migrations.RemoveField(
            model_name='document',
            name='content_hash',
        ),
        migrations.RemoveField(
            model_name='document',
            name='made_with',
        ),
        migrations.RemoveField(
            model_name='document',
            name='reason',
        ),
        migrations.RemoveField(
            model_name='document',
            name='state',
        ),
        migrations.RemoveField(
            model_name='knowledgebase',
            name='version',
        ),
        migrations.AlterField(
            model_name='chunk',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='knowledge.documentversion'),
        ),
        migrations.AddConstraint(
            model_name='chunk',
            constraint=models.UniqueConstraint(fields=('version', 'position'), name='one_chunk_a_position'),
        ),
    ]
