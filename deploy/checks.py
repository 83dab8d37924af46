"""Everything that a change must pass, part by part: `python -m deploy.checks` (`make test`). Status 1 if one fails."""

import os
import shutil
import subprocess
import sys
import time

from config.environment import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
KEPT = ("KEFU_CHROMIUM", "KEFU_REDIS_SERVER", "KEFU_MODELS")
PYTEST = [sys.executable, "-m", "pytest"]
PARTS = {
    "lint": [sys.executable, "-m", "ruff", "check", "."],
    "types": [sys.executable, "-m", "mypy"],
    "unit": [*PYTEST, "-m", "not integration and not browser", "-n", "auto", "--maxprocesses", "4"],
    "integration": [*PYTEST, "-m", "integration"],
    "browser": [*PYTEST, "-m", "browser"],
}


def environment() -> dict[str, str]:
    """The person's own, without options of Kefu that would change what is tested."""
    inherited = {k: v for k, v in os.environ.items() if k in KEPT or not k.startswith("KEFU_")}
    quiet = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    return inherited | quiet


def find_chromium(named: str) -> str | None:
    """A Chromium: `named` (KEFU_CHROMIUM), else PATH's."""
    return next((path for name in ([named] if named else BROWSERS) if (path := shutil.which(name))), None)


def install_chromium() -> str | None:
    """Debian's package, when this is root on a system that has apt-get; its path, or None."""
    if os.geteuid() or not shutil.which("apt-get"):
        return None
    print("Installing Debian's chromium for the browser tests …", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr[-500:], file=sys.stderr)
            return None
    return find_chromium("")


def main() -> int:
    named = os.environ.get("KEFU_CHROMIUM", "")
    chromium = find_chromium(named) or (None if named else install_chromium())
    variables = environment() | ({"KEFU_CHROMIUM": chromium} if chromium else {})
    summary = []
    for part, command in PARTS.items():
        print(f"\n== {part}: {' '.join(command[2:])}", flush=True)
        if part == "browser" and not chromium:
            why = (
                f"KEFU_CHROMIUM={named} is not an executable"
                if named
                else "no Chromium: install one, or set KEFU_CHROMIUM"
            )
            must = bool(named or os.environ.get("CI"))
            summary.append((part, "FAILED" if must else "SKIPPED", 0.0, why))
            print(f"!! the browser tests do not run: {why}")
            continue
        started = time.monotonic()
        status = subprocess.run(command, cwd=ROOT, env=variables).returncode
        summary.append((part, "FAILED" if status else "ok", time.monotonic() - started, ""))
    print()
    for part, result, seconds, why in summary:
        print(f"{part:12} {result:8} {seconds:6.1f} s  {why}".rstrip())
    return int(any(result == "FAILED" for _, result, _, _ in summary))


if __name__ == "__main__":
    sys.exit(main())
