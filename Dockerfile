# All images from one file: `operator`, and the trainer for CPUs (`trainer`), GPUs (`trainer-gpu`) and TPUs (`trainer-tpu`), whose
# heavy layers change only with their requirements.
#   docker build --target operator -t trainingrun-operator .
#   docker build --target trainer -t trainingrun-trainer .
# `make images` does the same with docker or, where no Docker runs, with buildah and a base image of its own.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS base
# What a file may say about the time of a build, in seconds: a release says its commit's. Bytecode is found by hashes of its sources
# and not by their times, so that the same files are the same bytes.
ARG SOURCE_DATE_EPOCH=315532800
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/trainingrun/lib \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
RUN groupadd --gid 1000 trainingrun \
 && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin trainingrun \
 && python3 -m venv /opt/venv \
 && find /opt/venv -name __pycache__ -prune -exec rm -r {} +
LABEL org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.vendor=TrainingRun

FROM base AS operator
ARG PIP_CERT=""
COPY requirements/operator.txt /tmp/requirements.txt
RUN PIP_CERT=${PIP_CERT} pip install --quiet --no-cache-dir --no-compile --no-deps --require-hashes -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/venv
COPY sdk/src operator/src /opt/trainingrun/lib/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/trainingrun/lib
LABEL org.opencontainers.image.title=trainingrun-operator
USER 1000:1000
ENTRYPOINT ["python3", "-m", "trainingrun_operator"]

# A read-only root file system cannot cache bytecode, and an uncompiled TensorFlow takes five seconds longer to import.
FROM base AS tensorflow
ARG PIP_CERT=""
COPY requirements/trainer.txt /tmp/requirements.txt
RUN PIP_CERT=${PIP_CERT} pip install --quiet --no-cache-dir --no-compile --no-deps --require-hashes -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -j 2 /opt/venv

FROM tensorflow AS horovod
ARG PIP_CERT=""
ARG SOURCE_DATE_EPOCH=315532800
RUN apt-get update --quiet \
 && apt-get install --yes --quiet --no-install-recommends g++ make patch python3-dev libopenmpi-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements/horovod.txt requirements/horovod-build.txt requirements/
COPY trainer-image/horovod/build.sh trainer-image/horovod/idle.patch ./
RUN export PIP_CERT=${PIP_CERT} \
 && pip install --quiet --no-cache-dir --require-hashes -r requirements/horovod-build.txt \
 && ./build.sh /wheels

# What all trainers run.
FROM base AS code
COPY examples/data/mnist-10k /opt/trainingrun/data/mnist-10k
COPY sdk/src trainer-image/src /opt/trainingrun/lib/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/trainingrun/lib

FROM tensorflow AS trainer
RUN apt-get update --quiet \
 && apt-get install --yes --quiet --no-install-recommends openmpi-bin openssh-client openssh-server \
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig /etc/ssh/ssh_host_* \
 && usermod --shell /bin/sh trainingrun
COPY --from=horovod /wheels /tmp/wheels
RUN pip install --quiet --no-cache-dir --no-compile --no-deps /tmp/wheels/*.whl \
 && rm -rf /tmp/wheels \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib/python3.11/site-packages/horovod
COPY --from=code /opt/trainingrun /opt/trainingrun
ENV TF_USE_LEGACY_KERAS=1 \
    TF_CPP_MIN_LOG_LEVEL=2
LABEL org.opencontainers.image.title=trainingrun-trainer
USER 1000:1000
ENTRYPOINT ["python3", "-m", "trainingrun_trainer"]

# CUDA 12, cuDNN and NCCL are wheels. No wheel has nvcc: clang compiles Horovod's device code (trainer-image/horovod/nccl.sh).
FROM base AS tensorflow-gpu
ARG PIP_CERT=""
COPY requirements/trainer-gpu.txt /tmp/requirements.txt
RUN PIP_CERT=${PIP_CERT} pip install --quiet --no-cache-dir --no-compile --no-deps --require-hashes -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -j 2 /opt/venv

FROM tensorflow-gpu AS horovod-gpu
ARG PIP_CERT=""
ARG SOURCE_DATE_EPOCH=315532800
RUN apt-get update --quiet \
 && apt-get install --yes --quiet --no-install-recommends g++ make patch python3-dev libopenmpi-dev clang-19 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements/horovod.txt requirements/horovod-build.txt requirements/horovod-gpu-build.txt requirements/
COPY trainer-image/horovod ./
RUN export PIP_CERT=${PIP_CERT} \
 && pip install --quiet --no-cache-dir --require-hashes -r requirements/horovod-build.txt -r requirements/horovod-gpu-build.txt \
 && HOROVOD_GPU_OPERATIONS=NCCL ./build.sh /wheels

FROM tensorflow-gpu AS trainer-gpu
RUN apt-get update --quiet \
 && apt-get install --yes --quiet --no-install-recommends openmpi-bin openssh-client openssh-server \
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig /etc/ssh/ssh_host_* \
 && usermod --shell /bin/sh trainingrun
COPY --from=horovod-gpu /wheels /tmp/wheels
RUN pip install --quiet --no-cache-dir --no-compile --no-deps /tmp/wheels/*.whl \
 && rm -rf /tmp/wheels \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib/python3.11/site-packages/horovod
COPY --from=code /opt/trainingrun /opt/trainingrun
# What NVIDIA's container runtime mounts of the driver.
ENV TF_USE_LEGACY_KERAS=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
LABEL org.opencontainers.image.title=trainingrun-trainer-gpu
USER 1000:1000
ENTRYPOINT ["python3", "-m", "trainingrun_trainer"]

FROM base AS trainer-tpu
ARG PIP_CERT=""
COPY requirements/trainer-tpu.txt /tmp/requirements.txt
RUN PIP_CERT=${PIP_CERT} pip install --quiet --no-cache-dir --no-compile --no-deps --require-hashes -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -j 2 /opt/venv
COPY --from=code /opt/trainingrun /opt/trainingrun
# libtpu, and TensorFlow's way to it for v5e and newer. What libtpu asks the metadata server for, the device plugin gives it; where
# that server is out of reach, as behind our NetworkPolicy, each of ten questions would hang for half a minute.
ENV TF_USE_LEGACY_KERAS=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    TPU_LIBRARY_PATH=/opt/venv/lib/python3.11/site-packages/libtpu/libtpu.so \
    TF_PLUGGABLE_DEVICE_LIBRARY_PATH=/opt/venv/lib/python3.11/site-packages/libtpu/libtpu.so \
    NEXT_PLUGGABLE_DEVICE_USE_C_API=true \
    TPU_SKIP_MDS_QUERY=true \
    PJRT_DEVICE=TPU
LABEL org.opencontainers.image.title=trainingrun-trainer-tpu
USER 1000:1000
ENTRYPOINT ["python3", "-m", "trainingrun_trainer"]
