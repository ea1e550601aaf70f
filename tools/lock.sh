#!/usr/bin/env bash
# Resolve the hashed requirement files from the projects' own declarations.
#   tools/lock.sh            write requirements/*.txt, keeping versions that still fit
#   tools/lock.sh --check    fail when a file no longer follows from the declarations
#   tools/lock.sh --upgrade  take the newest versions that are at least a week old
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
check=""
options=(--universal --generate-hashes --python-version 3.11 --no-header --quiet
         --no-emit-package trainingrun --no-emit-package trainingrun-operator)
case "${1:-}" in
  --check) check=yes ;;
  --upgrade) options+=(--upgrade --exclude-newer "$(date -u -d '7 days ago' +%Y-%m-%d)") ;;
esac

lock() { # TARGET SOURCE...
  local target=requirements/$1.txt
  shift
  if [ -z "$check" ]; then
    "$uv" pip compile "${options[@]}" "$@" -o "$target"
    return
  fi
  local fresh
  fresh=$(mktemp --suffix=.txt)
  cp "$target" "$fresh"
  "$uv" pip compile "${options[@]}" "$@" -o "$fresh"
  if ! cmp -s "$target" "$fresh"; then
    echo "$target does not follow from its declarations: run tools/lock.sh and commit it." >&2
    diff "$target" "$fresh" | head -20 >&2
    rm -f "$fresh"
    exit 1
  fi
  rm -f "$fresh"
}

lock bootstrap requirements/bootstrap.in
lock operator operator/pyproject.toml
lock dev sdk/pyproject.toml --extra cli operator/pyproject.toml requirements/dev.in -c requirements/operator.txt
lock trainer requirements/trainer.in --override requirements/trainer-overrides.txt \
  --override requirements/trainer-cpu-overrides.txt --no-emit-package tensorflow
lock trainer-gpu requirements/trainer.in requirements/trainer-gpu.in -c requirements/trainer.txt \
  --override requirements/trainer-overrides.txt --override requirements/trainer-gpu-overrides.txt --no-emit-package tensorflow-cpu
lock horovod-gpu-build requirements/horovod-gpu-build.in
lock trainer-tpu requirements/trainer.in requirements/trainer-tpu.in \
  --override requirements/trainer-overrides.txt --override requirements/trainer-tpu-overrides.txt \
  --no-emit-package tensorflow-cpu --no-emit-package tensorflow
lock bench requirements/bench.in -c requirements/trainer.txt
lock test requirements/test.in -c requirements/trainer.txt -c requirements/dev.txt
