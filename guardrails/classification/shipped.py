"""Where the classifiers that ship stand, and which encoder a classifier needs."""

from pathlib import Path

from guardrails.classification import adapter

SHIPPED = Path(__file__).resolve().parent.parent / "classifiers"
DOCUMENT = SHIPPED / "document"
"""Finds instructions to a model in documents; what finds them in messages takes too much of a manual for one."""

ADAPTER = SHIPPED / "encoder" / "adapter.safetensors"
GUARD_ENCODER = "e5-guard"
BASE_ENCODER = "e5-small"


def encoder_folder(encoder: str, models: Path) -> Path:
    """The model folder of a classifier's encoder; the guards' own is made first if it is not there.

    Raises ClassifierError when it cannot be made.
    """
    if encoder == GUARD_ENCODER:
        return adapter.prepare(models / BASE_ENCODER, ADAPTER, models / GUARD_ENCODER)
    return models / BASE_ENCODER
