"""What others wrote for browsers stands here as they published it, and nothing stands beside it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

ROOT = Path(__file__).resolve().parent.parent
PACKAGES: dict[str, dict[str, Any]] = json.loads((ROOT / "static" / "vendor" / "vendor.json").read_text())

each_package = pytest.mark.parametrize(("folder", "package"), PACKAGES.items(), ids=PACKAGES.keys())


@each_package
def test_a_vendored_file_is_what_its_package_holds(folder: str, package: dict[str, Any]) -> None:
    sums = {path: hashlib.sha256((ROOT / folder / path).read_bytes()).hexdigest() for path in package["files"]}
    assert sums == package["files"]


@each_package
def test_a_vendored_package_tells_its_version_and_licence(folder: str, package: dict[str, Any]) -> None:
    assert (ROOT / folder / "VERSION").read_text() == f"{package['package']}@{package['version']}\n"
    assert package["licence"]
    assert "LICENSE" in package["files"]


def test_no_vendored_file_is_unlisted() -> None:
    listed = {ROOT / folder / path for folder, package in PACKAGES.items() for path in (*package["files"], "VERSION")}
    found = {
        path
        for parent in ("static/vendor", "tests/vendor")
        for path in (ROOT / parent).rglob("*")
        if path.is_file() and path.name != "vendor.json"
    }
    assert found == listed


def test_htmx_comes_with_django_htmx() -> None:
    assert finders.find("django_htmx/htmx-2.min.js")
