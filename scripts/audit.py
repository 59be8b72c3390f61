"""`make audit`: are there known vulnerabilities in what the image pins?

    python -m scripts.audit [--unreachable-is-fine]

Asks pip-audit about every lock the image is built from. Exit codes: 0 none but accepted ones, 1
others, or pip-audit itself failed, 3 the advisory service did not answer for all of the packages,
so nobody knows.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

LOCKS = tuple(Path("docker") / f"requirements-{name}.txt" for name in ("cpu", "cu112", "build"))
ACCEPTED = Path("docker/accepted-advisories.toml")
# How pip-audit ends without an answer: in its own words, or with the exception of its HTTP client.
_UNREACHABLE = re.compile(
    r"^ERROR:pip_audit\._cli:(Could not connect to|PyPI is not redirecting)"
    r"|^requests\.exceptions\.(\w*Timeout|(Connection|Proxy|SSL|HTTP|Retry|ChunkedEncoding)Error)\b",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Findings:
    """What pip-audit says of a lock.

    Attributes:
        vulnerabilities: package, version and advisory of each.
        unknown: packages that it got no answer about.
    """

    vulnerabilities: tuple[tuple[str, str, str], ...]
    unknown: tuple[str, ...]


def read_findings(report: dict[str, Any]) -> Findings:
    """From pip-audit's JSON report."""
    vulnerabilities, unknown = [], []
    for package in report["dependencies"]:
        if "skip_reason" in package:
            unknown.append(package["name"])
        for found in package.get("vulns", ()):
            vulnerabilities.append((package["name"], package["version"], found["id"]))
    return Findings(tuple(vulnerabilities), tuple(unknown))


def read_accepted(path: Path, today: date) -> frozenset[tuple[str, str]]:
    """Package and advisory of each that is accepted on this day.

    Raises:
        ValueError: an entry lacks its reason or its end.
    """
    accepted = set()
    for entry in tomllib.loads(path.read_text()).get("accepted", ()):
        missing = {"id", "package", "reason", "until"} - entry.keys()
        if missing or not entry["reason"].strip():
            raise ValueError(f"{path}: {entry} lacks {', '.join(sorted(missing)) or 'a reason'}")
        if today < entry["until"]:
            accepted.add((entry["package"], entry["id"]))
    return frozenset(accepted)


class AuditFailed(Exception):
    """pip-audit made no report, and not because the service was out of reach: all that it said."""


def audit(lock: Path, program: Sequence[str] = (sys.executable, "-m", "pip_audit")) -> Findings:
    """Asks pip-audit about the packages of a lock, which it does not install.

    Raises:
        AuditFailed: it ended without a report for a reason of its own.
    """
    ended = subprocess.run(
        [
            *program,
            *("--disable-pip", "--require-hashes", "--no-deps", "--progress-spinner=off"),
            *("--format=json", f"--requirement={lock}"),
        ],
        capture_output=True,
        text=True,
    )
    try:
        return read_findings(json.loads(ended.stdout))
    except json.JSONDecodeError:
        if not _UNREACHABLE.search(ended.stderr):
            raise AuditFailed(
                f"pip-audit made no report of {lock} (exit code {ended.returncode}):\n"
                f"{ended.stderr.strip()}"
            ) from None
        print(ended.stderr.strip().splitlines()[-1], file=sys.stderr)
        return Findings((), ("every package",))


def judge(
    findings: Iterable[Findings], accepted: frozenset[tuple[str, str]], unreachable_is_fine: bool
) -> tuple[list[str], int]:
    """What to say of the findings of all locks, and the exit code."""
    found = sorted({one for finding in findings for one in finding.vulnerabilities})
    unknown = sorted({name for finding in findings for name in finding.unknown})
    lines, bad = [], False
    for package, version, advisory in found:
        fine = (package, advisory) in accepted
        bad = bad or not fine
        verdict = f"accepted, see {ACCEPTED}" if fine else "NOT ACCEPTED: take a version without it"
        lines.append(f"{package} {version}: {advisory} ({verdict})")
    if unknown:
        names = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        lines.append(
            f"NOT CHECKED: the advisory service gave no answer about {len(unknown)} packages "
            f"({names})."
        )
    if bad:
        return lines, 1
    if unknown:
        return lines, 0 if unreachable_is_fine else 3
    return [*lines, "No vulnerability is known but accepted ones."], 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Audits all locks and says what was found."""
    parser = argparse.ArgumentParser(
        description="Look for known vulnerabilities of what is pinned."
    )
    parser.add_argument(
        "--unreachable-is-fine",
        action="store_true",
        help="exit with 0, although the advisory service does not answer (it is said all the same)",
    )
    options = parser.parse_args(arguments)
    accepted = read_accepted(ACCEPTED, date.today())
    try:
        findings = [audit(lock) for lock in LOCKS]
    except AuditFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    lines, code = judge(findings, accepted, options.unreachable_is_fine)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
