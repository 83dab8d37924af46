"""What a worker carries: nothing that only training needs."""

import subprocess
import sys

from tests.patience import PATIENCE

TRAINING = ("sklearn", "torch", "transformers", "sentence_transformers")


def test_a_worker_loads_nothing_that_only_training_needs() -> None:
    code = (
        "import sys, django; django.setup(); import chatbot.tasks, desk.tasks; "
        f"print([m for m in {TRAINING!r} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=2 * PATIENCE, check=True)
    assert run.stdout.strip() == "[]"
