# Semantic Segmentation for SageMaker, and for any other host: docker build -t semseg .
#
# MXNet is for x86-64 only: elsewhere it takes --platform=linux/amd64. `make image` adds that, and what SageMaker wants.
#
#   --build-arg FLAVOR=cpu|cu112        MXNet for CPUs, or for CPUs and NVIDIA GPUs (default: cpu)
#   --build-arg BACKBONES=both|none|... which ImageNet weights to bake in: both, resnet-50, resnet-101, or none
#                                       for a machine without a way to GluonCV's model store (default: both)
#   --build-arg BASE_IMAGE=...          Debian 12 by another name, or pinned by its digest
#   --build-arg REVISION=...            the commit, for the image's label
#
# Where pip needs settings of its own, hand them in as secrets, which no layer keeps: id pip_conf is the pip.conf,
# id ca_bundle the certificates it names as /run/secrets/ca_bundle. BuildKit is needed (DOCKER_BUILDKIT=1).

ARG BASE_IMAGE=debian:bookworm-slim

# ------------------------------------------------------------------------------------------------ what is built
FROM ${BASE_IMAGE} AS build
ARG FLAVOR=cpu

RUN case "$FLAVOR" in cpu|cu112) ;; *) echo "FLAVOR is '$FLAVOR': cpu or cu112" >&2; exit 1 ;; esac \
    && apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libgomp1 libquadmath0 python3 python3-pip \
    && python3 -m venv --without-pip /opt/semseg

# The build's own pip fills the environment from outside, so that the image has none.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    SITE_PACKAGES=/opt/semseg/lib/python3.11/site-packages
COPY docker/requirements-build.txt docker/requirements-${FLAVOR}.txt /build/docker/
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca_bundle,target=/run/secrets/ca_bundle \
    python3 -m pip --python /opt/semseg/bin/python install \
        --quiet --no-deps --require-hashes --only-binary :all: -r /build/docker/requirements-${FLAVOR}.txt \
    && python3 -m pip install --target /build/tools \
        --quiet --no-deps --require-hashes --only-binary :all: -r /build/docker/requirements-build.txt

COPY docker/no-driver /build/docker/no-driver
COPY docker/slim-down docker/bake-backbones /build/docker/
RUN /build/docker/slim-down "$SITE_PACKAGES" "$FLAVOR"

COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
RUN PYTHONPATH=/build/tools python3 -m pip --python /opt/semseg/bin/python install \
        --quiet --no-deps --no-build-isolation --no-index --prefix /build/project /build

# An argument is part of every step that follows it, so each stands right before the first that needs it.
ARG BACKBONES=both
ARG MXNET_GLUON_REPO
RUN --mount=type=cache,target=/root/.cache/backbones \
    --mount=type=secret,id=ca_bundle,target=/run/secrets/ca_bundle \
    /build/docker/bake-backbones "$BACKBONES" /root/.cache/backbones /build/backbones

# ---------------------------------------------------------------------------------------------- what is shipped
FROM ${BASE_IMAGE}

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libgomp1 libquadmath0 libstdc++6 python3 zlib1g \
    && rm -rf /usr/lib/python3.11/test \
        /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/*.log

# What changes seldom first: a new version of this project pushes its own few kilobytes only.
COPY --from=build /opt/semseg /opt/semseg
COPY --from=build /build/backbones /opt/semseg/backbones
COPY --from=build /build/project /opt/semseg
COPY docker/entrypoint docker/healthcheck /opt/semseg/bin/

# NVIDIA's container toolkit reads the two variables where there is one; elsewhere nobody does.
ENV PATH=/opt/semseg/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

ARG FLAVOR=cpu
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sagemaker-semantic-segmentation" \
      org.opencontainers.image.description="SageMaker's built-in Semantic Segmentation algorithm, open" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      io.github.semseg.flavor="${FLAVOR}" \
      com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true

# No USER: SageMaker mounts /opt/ml for root. Any other user does as well, `docker run --user`, as does a read-only
# root. The entrypoint ends in exec, so `train` and gunicorn are PID 1 and get the signals themselves.
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=240s --retries=3 CMD ["healthcheck"]
ENTRYPOINT ["entrypoint"]
CMD []
