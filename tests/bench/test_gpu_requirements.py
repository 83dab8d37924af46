"""bench/gpu_requirements.txt: what Kefu imports goes along to the machine with the GPU, in the version that is used."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

THERE = {"accelerate", "lxml", "numpy", "onnx", "onnxruntime", "pillow", "prometheus-client", "regex", "safetensors"}
THERE |= {"scikit-learn", "scipy", "sentence-transformers", "tokenizers", "torch", "transformers", "jinja2"}
THERE |= {"markdown-it-py"}

READERS = {"openpyxl", "pdfplumber", "pypdfium2", "python-pptx"}
"""What reads documents: the database is packed with the demo's."""


def pinned(file: str) -> dict[str, str]:
    rows = re.findall(r"(?m)^([\w.-]+)(?:\[\w+\])?(?:==([\w.]+)|[<>=][^;\n]*)?", (ROOT / file).read_text("utf-8"))
    return {name.lower().replace("_", "-"): version for name, version in rows}


def test_all_that_kefu_imports_is_packed_or_is_there() -> None:
    packed = pinned("bench/gpu_requirements.txt")
    assert packed["vllm"]
    assert set(pinned("requirements.txt")) - THERE - READERS - set(packed) == set()


def test_what_is_packed_is_what_is_used_here() -> None:
    packed, used = pinned("bench/gpu_requirements.txt"), pinned("constraints.txt")
    other = {name: (version, used[name]) for name, version in packed.items() if used.get(name, version) != version}
    assert other == {}
