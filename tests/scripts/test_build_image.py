"""`make image`: what docker is asked for, by way of one that only writes it down."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

DOCKER = """#!/bin/sh
case "$1 ${2:-}" in
    "info --format") echo "$DRIVER_STATUS" ;;
    "image inspect") echo 560000000 ;;
    "build "*) echo "$DOCKER_BUILDKIT $BUILDX_NO_DEFAULT_ATTESTATIONS $*" >>"$WRITTEN" ;;
esac
"""
OVERLAY = "[[Backing Filesystem extfs] [Supports d_type true]]"
CONTAINERD = "[[driver-type io.containerd.snapshotter.v1]]"


@pytest.fixture
def build(project: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """Builds with an engine that keeps its images in this way; the calls of `docker build`."""
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    written = tmp_path / "written"

    def call(driver_status: str, *arguments: str) -> list[str]:
        environment = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "IMAGE": "semseg",
            "FLAVORS": "cpu cu112",
            "DRIVER_STATUS": driver_status,
            "WRITTEN": str(written),
        }
        program = [project / "scripts/build-image", *arguments]
        subprocess.run(program, cwd=project, env=environment, check=True, capture_output=True)
        return written.read_text().splitlines()

    return call


def test_each_flavour_is_one_image_for_x86_without_an_attestation(build) -> None:
    calls = build(OVERLAY, "--build-arg", "BACKBONES=none")

    assert len(calls) == 2
    for call, flavor in zip(calls, ("cpu", "cu112"), strict=True):
        assert call.startswith("1 1 build --quiet --platform=linux/amd64 --build-arg FLAVOR=")
        assert call.endswith(f" --tag semseg:{flavor} --build-arg BACKBONES=none .")


def test_where_containerd_keeps_the_image_its_manifest_is_dockers(build) -> None:
    for call in build(CONTAINERD):
        assert (
            " --platform=linux/amd64 --output=type=docker,oci-mediatypes=false --build-arg" in call
        )


def test_without_an_engine_it_says_so(project: Path, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    ended = subprocess.run(
        [project / "scripts/build-image"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("No Docker engine answers")
