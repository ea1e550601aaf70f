#!/bin/sh
# Build the Horovod wheel into $1, against the TensorFlow of the current environment.
#
# Horovod 0.28.1 includes XLA's headers in xla_mpi_ops.cc even for CPU builds, and TensorFlow's wheel has not shipped all of
# them since 2.18. The file only serves HOROVOD_ENABLE_XLA_OPS on GPUs, so it is left out.
set -eu
target=$1
scripts=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
pip download --quiet --require-hashes --no-deps --no-binary :all: --no-build-isolation \
  --dest "$folder" --requirement requirements/horovod.txt
tar -xzf "$folder"/horovod-*.tar.gz -C "$folder"
cd "$folder"/horovod-*/
sed -i '/xla_mpi_ops.cc/d' horovod/tensorflow/CMakeLists.txt
patch --quiet --strip 1 < "$scripts/idle.patch"
if [ "${HOROVOD_GPU_OPERATIONS:-}" = NCCL ]; then . "$scripts/nccl.sh"; fi
HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1 \
HOROVOD_WITH_GLOO=1 HOROVOD_WITH_MPI=1 CMAKE_POLICY_VERSION_MINIMUM=3.5 \
  pip wheel --no-deps --no-build-isolation --wheel-dir "$target" .
rm -rf "$folder"
