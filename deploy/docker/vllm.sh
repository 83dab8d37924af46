#!/bin/sh
# Serves ENGINE_MODEL over vLLM's OpenAI-compatible API, by the name that Kefu asks for (KEFU_ENGINE_MODEL), or by
# ENGINE_NAME where Kefu asks for one of its adapters. ENGINE_FLAGS are further options of `vllm serve`.
set -euf
if [ -r /run/secrets/kefu_engine_key ]; then
    VLLM_API_KEY=$(cat /run/secrets/kefu_engine_key)
    export VLLM_API_KEY
fi
# shellcheck disable=SC2086  # the flags are words
exec vllm serve "${ENGINE_MODEL:?}" --served-model-name "${ENGINE_NAME:-${KEFU_ENGINE_MODEL:?}}" \
    --host 0.0.0.0 --port 8000 --enable-prefix-caching --disable-uvicorn-access-log ${ENGINE_FLAGS:-}
