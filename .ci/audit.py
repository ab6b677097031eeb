"""Ask the database of known vulnerabilities about every version of `constraints.txt`.

pip-audit says "No known vulnerabilities found" also for packages that it could not ask about.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

UNREACHABLE = (
    "make audit: the database of known vulnerabilities cannot be reached from here, so nothing "
    "was checked. Run it on a machine that reaches pypi.org."
)
COMMAND = ("-m", "pip_audit", "-r", "constraints.txt", "--no-deps", "--disable-pip", "-f", "json")


def main() -> None:
    """Print the result; exit with 0 only if every version was checked and none is vulnerable."""
    process = subprocess.run([sys.executable, *COMMAND], capture_output=True, text=True)
    try:
        packages: list[dict[str, Any]] = json.loads(process.stdout)["dependencies"]
    except ValueError:  # it ended with a traceback of its connection
        packages = []
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        raise SystemExit(UNREACHABLE)
    found = [
        f"{package['name']} {package['version']}: {fault['id']}, fixed in "
        f"{', '.join(fault['fix_versions']) or 'no version'}"
        for package in packages
        for fault in package.get("vulns", [])
    ]
    print(f"{len(packages) - len(unknown)} versions checked, {len(found)} known vulnerabilities")
    print("\n".join(found), end="\n" if found else "")
    if unknown:
        print(f"not checked: {', '.join(unknown)}")
    raise SystemExit(bool(found or unknown))


if __name__ == "__main__":
    main()
