"""Fetch the browser's files that others wrote, unmodified, as static/vendor/vendor.json lists them.

To move to another version, write it into the list and empty the sums of its files: they are filled in here. A sum that
stands there must be met.
"""

# ruff: noqa: INP001, S603, S607, T201 - a script, which calls npm as the person has it

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "static" / "vendor" / "vendor.json"


def main() -> None:
    """Fetch every package of the list, and write the list with its sums."""
    packages = json.loads(LIST.read_text())
    for folder, package in packages.items():
        fetch(ROOT / folder, package)
    LIST.write_text(json.dumps(packages, indent=2) + "\n")


def fetch(folder: Path, package: dict[str, Any]) -> None:
    """Replace a folder with the listed files of its package, each at the path that it has there."""
    shutil.rmtree(folder, ignore_errors=True)
    name = f"{package['package']}@{package['version']}"
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", directory, name], check=True, stdout=subprocess.DEVNULL
        )
        (archive,) = Path(directory).iterdir()
        with tarfile.open(archive) as tar:
            for path, known in package["files"].items():
                package["files"][path] = copy(tar, path, folder / path, known)
    (folder / "VERSION").write_text(f"{name}\n")
    print(folder.relative_to(ROOT), name)


def copy(tar: tarfile.TarFile, path: str, target: Path, known: str) -> str:
    """Write one file of a package, and give its sum."""
    member = tar.extractfile(f"package/{path}")
    content = member.read() if member else b""
    found = hashlib.sha256(content).hexdigest()
    if known not in {"", found}:
        sys.exit(f"{target.relative_to(ROOT)} is not what the list says: its sum is {found}, and not {known}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return found


if __name__ == "__main__":
    main()
