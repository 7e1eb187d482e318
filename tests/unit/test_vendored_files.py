"""What is committed under a vendor folder is what its manifest says."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = [ROOT / "static/vendor/vendor.json", ROOT / "tests/browser/vendor/vendor.json"]


def _listed(manifest: Path) -> dict[str, str]:
    packages = json.loads(manifest.read_text())["packages"]
    return {name: entry["sha256"] for package in packages for name, entry in package["files"].items()}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.parent.name)
def test_vendored_files_are_exactly_those_of_the_manifest(manifest: Path) -> None:
    present = {
        path.relative_to(manifest.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in manifest.parent.rglob("*")
        if path.is_file() and path != manifest
    }
    assert present == _listed(manifest)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.parent.name)
def test_every_vendored_package_keeps_its_license(manifest: Path) -> None:
    for package in json.loads(manifest.read_text())["packages"]:
        assert any(entry["source"] == "LICENSE" for entry in package["files"].values()), package["name"]
