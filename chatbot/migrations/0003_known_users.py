from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chatbot", "0002_ownership")]

    operations = [
        migrations.AddField(
            model_name="site",
            name="user_secret",
            field=models.BinaryField(default=b"", help_text="what the site's server signs its users with; sealed"),
        ),
        migrations.AddField(
            model_name="conversation",
            name="profile",
            field=models.TextField(blank=True, default="", help_text="what the site says about a known user; masked"),
            preserve_default=False,
        ),
    ]
