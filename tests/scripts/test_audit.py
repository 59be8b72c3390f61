from datetime import date

import pytest

from scripts.audit import ACCEPTED, Findings, judge, read_accepted, read_findings

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
