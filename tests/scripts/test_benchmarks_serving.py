import json
import os
import time
from pathlib import Path

import pytest

from scripts.benchmarks.serving import results
from scripts.benchmarks.serving.__main__ import main
from scripts.benchmarks.serving.contenders import CONTENDERS
from scripts.benchmarks.serving.engines import ENGINES
from scripts.benchmarks.serving.memory import peak_bytes
from scripts.benchmarks.serving.models import provide_artifact
from scripts.benchmarks.serving.quiet import busy_share
from scripts.benchmarks.serving.results import Result
from scripts.benchmarks.serving.table import percentile, promises, table
from scripts.benchmarks.serving.timing import repeat
from semseg.networks.artifact import BEST


def result(contender: str, **figures: object) -> Result:
    return Result.model_validate(
        {"contender": contender, "network": "fcn", "height": 480, "width": 640, **figures}
    )


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([3, 1, 2], 50) == 2
    assert percentile([3, 1, 2], 99) == 3
    assert percentile(range(1, 201), 99) == 198
    assert percentile([5], 99) == 5


def test_the_table_shows_what_was_measured_and_nothing_else() -> None:
    text = table(
        [
            result(
                "this, fp32",
                forward=[0.5, 0.25],
                forward_cpus=1.94,
                http=[0.3],
                images_per_second=4.0,
            ),
            result("GluonCV, threads set", forward_bytes=3 << 20),
            result("this, fp32", http_bytes=5 << 20).model_copy(update={"network": "psp"}),
        ]
    )
    measures = "forward, s<br>its CPUs<br>HTTP, s<br>images/s, 8 clients<br>MiB, forward and server"
    assert text.splitlines() == [
        "|  |  | GluonCV, threads set | this, fp32 |",
        "| --- | --- | --- | --- |",
        f"| FCN, 640×480 | {measures} | -<br>-<br>-<br>-<br>3, - | "
        "0.25 / 0.50<br>1.9<br>0.30 / 0.30<br>4.00<br>-, - |",
        f"| PSP, 640×480 | {measures} |  | -<br>-<br>-<br>-<br>-, 5 |",
    ]


def test_promises_that_are_kept_and_that_are_not() -> None:
    text = promises(
        [
            result("GluonCV, threads set", forward=[0.4]),
            result("this, fp32", forward=[0.5], http=[0.6], ping=[0.01] * 98 + [0.2] * 2),
            result("this, int8", forward=[0.125], http=[0.126]),
        ]
    )
    assert text.splitlines() == [
        "- FCN 640×480: this, fp32 0.80 times as fast as GluonCV, threads set (wanted: 1), "
        "short of it",
        "- FCN 640×480: this, int8 4.00 times as fast as this, fp32 (wanted: 3.5)",
        "- FCN 640×480: HTTP adds +20.0% to this, fp32 (wanted: at most 5 %), too much",
        "- FCN 640×480: /ping of this, fp32 with 16 clients: p50 10 ms, p99 200 ms "
        "(wanted: at most 100), too late",
        "- FCN 640×480: HTTP adds +0.8% to this, int8 (wanted: at most 5 %)",
    ]


def test_pieces_of_a_run_are_joined(tmp_path: Path) -> None:
    first = result("this, fp32", forward=[0.5])
    results.write(tmp_path, first)
    second = results.read(tmp_path, result("this, fp32"))
    second.http = [0.6]
    results.write(tmp_path, second)
    results.write(tmp_path, result("GluonCV, threads set"))
    assert results.read_all(tmp_path) == [
        result("GluonCV, threads set"),
        result("this, fp32", forward=[0.5], http=[0.6]),
    ]


def test_no_contender_inherits_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "MXNET_SUBGRAPH_BACKEND", "SEMSEG_MAX_PIXELS"):
        monkeypatch.setenv(name, "7")
    monkeypatch.setenv("HOME", "/somewhere")
    for contender in CONTENDERS.values():
        environment = contender.environment()
        assert environment["HOME"] == "/somewhere"
        assert "7" not in environment.values()
        assert contender.engine in ENGINES
    assert "OMP_NUM_THREADS" in CONTENDERS["GluonCV, threads set"].environment()
    assert "OMP_NUM_THREADS" not in CONTENDERS["GluonCV, threads unset"].environment()


def test_what_comes_first_is_not_counted() -> None:
    calls = []
    measured = repeat(lambda: calls.append(time.sleep(0.01)), seconds=0.03, least=2)
    assert len(calls) == len(measured) + 2
    assert sum(measured) >= 0.03
    assert len(repeat(lambda: None, seconds=0, least=4)) == 4


def test_the_peak_of_a_process_counts_its_children() -> None:
    alone = peak_bytes(os.getpid())
    assert alone > 10 << 20
    assert peak_bytes(os.getppid()) > alone


def test_the_share_of_others_is_a_share() -> None:
    assert 0 <= busy_share(0.05) <= 1


def test_trained_models_are_not_mistaken_for_those_of_another_run(tmp_path: Path) -> None:
    trained, place = tmp_path / "trained", tmp_path / "place"
    provide_artifact("fcn", trained / "fcn", None)
    provide_artifact("fcn", place, trained)
    provide_artifact("fcn", place, trained)
    assert (place / BEST).read_bytes() == (trained / "fcn" / BEST).read_bytes()

    (place / BEST).write_bytes(b"of another run")
    with pytest.raises(SystemExit, match="choose another --place"):
        provide_artifact("fcn", place, trained)


@pytest.mark.slow
def test_a_short_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what = ["--networks", "fcn", "--sizes", "40x33", "--contenders", "GluonCV, threads set"]
    how = ["--measures", "forward", "http", "load", "--seconds", "0", "--least", "2"]
    main([*what, "this, fp32", "this, int8", *how, "--place", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]
    assert rows[0] == ["", "", "GluonCV, threads set", "this, fp32", "this, int8"]
    assert rows[2][0] == "FCN, 33×40"
    assert not any("-" in cell for cell in rows[2][2:])
    kept = json.loads((tmp_path / "results" / "fcn-40x33-this-fp32.json").read_text())
    assert len(kept["forward"]) == len(kept["http"]) == 2
    assert kept["images_per_second"] > 0

    main(["--table", "--place", str(tmp_path)])
    assert capsys.readouterr().out.splitlines() == lines
