"""The README is true: each setting and command that it names exists, and none is left out."""

import re
from pathlib import Path

from django.core.management import get_commands

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "amili_dashboard" / "settings.py").read_text()
UP = (ROOT / "sandbox" / "up.py").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()

# Written by `manage.py up` for the processes of a run on invented data; nobody sets them.
OWN = {"SANDBOX", "SANDBOX_URL"}


def _read_by_settings() -> set[str]:
    return set(re.findall(r'(?:setting|amili_url|address)\(\s*"([A-Z_]+)"', SETTINGS))


def _in_table() -> set[str]:
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", README, re.MULTILINE)
    return set(re.findall(r"[A-Z_]{2,}", " ".join(rows)))


def test_the_table_of_settings_names_all_settings_and_no_others() -> None:
    read_by_up = {name for name in ("HOST", "PORT") if f'"{name}"' in UP}
    assert _in_table() == (_read_by_settings() | read_by_up) - OWN


def test_the_example_of_an_env_file_names_all_settings_and_no_others() -> None:
    assert set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)) == _in_table()


def test_each_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)`|^make ([a-z]+)$", README, re.MULTILINE))
    assert {first or second for first, second in named} <= targets


def test_each_management_command_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", README))
    assert named <= {*get_commands(), "up"}


def test_each_file_and_folder_that_the_readme_names_exists() -> None:
    named = re.findall(r"\]\(([\w./-]+)\)", README) + re.findall(r"^\| `([\w./]+)`", README, re.MULTILINE)
    missing = [name for name in named if not (ROOT / name).exists() and "/" in name]
    assert not missing


def test_each_picture_is_described() -> None:
    assert all(re.findall(r"!\[([^\]]*)\]", README))
