"""The Celery application: `celery -A config worker`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_embedded_init

from deploy.bound import bind

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("kefu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["chatbot", "console", "desk"])


@beat_embedded_init.connect  # type: ignore[untyped-decorator]  # celery has no types
def _end_with_the_worker(**_: Any) -> None:
    """The clock is a forked process: of a worker that was killed it would go on beside the next one's."""
    bind()
