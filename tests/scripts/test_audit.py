import sys
from datetime import date
from pathlib import Path

import pytest

from scripts import audit as module
from scripts.audit import (
    ACCEPTED,
    AuditFailed,
    Findings,
    audit,
    judge,
    main,
    read_accepted,
    read_findings,
)

TODAY = date(2026, 12, 1)
BAD = ("pillow", "1.0", "PYSEC-2021-1")


def test_pip_audits_report_is_understood() -> None:
    report = {
        "dependencies": [
            {"name": "flask", "version": "3.1", "vulns": []},
            {"name": "pillow", "version": "1.0", "vulns": [{"id": "PYSEC-2021-1"}]},
            {"name": "mxnet", "skip_reason": "Dependency not found"},
        ]
    }

    assert read_findings(report) == Findings((BAD,), ("mxnet",))


def test_a_vulnerability_fails_unless_it_is_accepted() -> None:
    findings = [Findings((BAD,), ()), Findings((), ())]

    lines, code = judge(findings, frozenset(), unreachable_is_fine=True)
    assert code == 1
    assert "pillow 1.0: PYSEC-2021-1 (NOT ACCEPTED" in lines[0]
    assert judge(findings, frozenset({("pillow", "PYSEC-2021-1")}), False)[1] == 0


def test_no_answer_is_not_taken_for_a_good_one() -> None:
    findings = [Findings((), ("mxnet", "numpy"))]

    lines, code = judge(findings, frozenset(), unreachable_is_fine=False)
    assert code == 3
    assert lines[0].startswith("NOT CHECKED: the advisory service gave no answer about 2 packages")
    assert judge(findings, frozenset(), unreachable_is_fine=True) == (lines, 0)


def ending(words: str, out: str = "") -> list[str]:
    """A pip-audit that says this on stderr, and `out` on stdout."""
    code = f"import sys; sys.stderr.write({words!r}); print({out!r}, end=''); sys.exit(1)"
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    "words",
    [
        "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed\nERROR: Tip: ...\n",
        "Traceback (most recent call last):\n  File x\nrequests.exceptions.ConnectionError: Max\n",
        "Traceback\nrequests.exceptions.ReadTimeout: read timed out\n",
        "Traceback\nrequests.exceptions.HTTPError: 503 Server Error\n\nThe above exception ...\n"
        "Traceback\npip_audit._service.interface.ServiceError\n",
    ],
)
def test_a_service_out_of_reach_is_told_from_its_words(words: str) -> None:
    assert audit(Path("lock"), ending(words)) == Findings((), ("every package",))


@pytest.mark.parametrize(
    "words",
    [
        "usage: pip-audit\npip-audit: error: unrecognized arguments: --progress-spinner=off\n",
        "ERROR:pip_audit._cli:requirement flask is missing a hash\n",
        "Traceback\nModuleNotFoundError: No module named 'requests.exceptions.Timeout'\n",
        "",
    ],
)
def test_any_other_end_is_a_failure_with_all_that_was_said(words: str) -> None:
    with pytest.raises(AuditFailed) as failure:
        audit(Path("lock"), ending(words))

    said = "pip-audit made no report of lock (exit code 1):\n" + words.strip()
    assert str(failure.value) == said


def test_a_report_counts_whatever_was_said_beside_it() -> None:
    report = '{"dependencies": [{"name": "pillow", "version": "1.0", "vulns": []}]}'

    assert audit(Path("lock"), ending("Found 1 known vulnerability\n", report)) == Findings((), ())


def test_a_failure_is_not_fine_where_being_unreachable_is(monkeypatch, capsys, project) -> None:
    def fail(lock: Path) -> Findings:
        raise AuditFailed("pip-audit made no report.\nAll of it.")

    monkeypatch.chdir(project)
    monkeypatch.setattr(module, "audit", fail)

    assert main(["--unreachable-is-fine"]) == 1
    assert capsys.readouterr().err == "pip-audit made no report.\nAll of it.\n"


def test_an_accepted_one_has_a_reason_and_an_end(tmp_path) -> None:
    path = tmp_path / "accepted.toml"
    entry = '[[accepted]]\nid = "PYSEC-2021-1"\npackage = "pillow"\n'
    path.write_text(f'{entry}reason = "Not reached."\nuntil = 2026-12-02\n')
    assert read_accepted(path, TODAY) == {("pillow", "PYSEC-2021-1")}
    assert read_accepted(path, date(2026, 12, 2)) == set()

    path.write_text(f'{entry}reason = " "\nuntil = 2026-12-02\n')
    with pytest.raises(ValueError, match="lacks a reason"):
        read_accepted(path, TODAY)
    path.write_text(entry)
    with pytest.raises(ValueError, match="lacks reason, until"):
        read_accepted(path, TODAY)


def test_the_projects_own_list_can_be_read(project) -> None:
    read_accepted(project / ACCEPTED, TODAY)
