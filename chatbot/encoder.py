"""The model that questions and documents are embedded with: multilingual-e5-small with the search's own adapter."""

from pathlib import Path

from guardrails.classification.adapter import prepare
from knowledge.embedding import Device, Embedder, OnnxEmbedder, TorchEmbedder, has_cuda, model_id

ADAPTER = Path(__file__).resolve().parent.parent / "knowledge" / "adapter" / "adapter.safetensors"
BASE = "e5-small"
SEARCH = "e5-search"


def search_folder(models: Path) -> Path:
    """The folder of the search's model in `models`, made of the base model's where it is missing (two seconds).

    Raises guardrails' ClassifierError.
    """
    return prepare(models / BASE, ADAPTER, models / SEARCH)


def search_encoder(models: Path, device: Device = "auto") -> Embedder:
    """The search's embedder. Raises knowledge's ModelMissing and guardrails' ClassifierError."""
    folder = search_folder(models)
    if device == "cuda" or (device == "auto" and has_cuda()):
        embedder = TorchEmbedder(models / BASE, adapter=ADAPTER)
        embedder.model_id = model_id(folder)  # the same vectors, so rows made by one serve questions of the other
        return embedder
    return OnnxEmbedder(folder)
