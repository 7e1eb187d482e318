#!/bin/sh
# Remakes the vendored browser libraries from their manifests with `npm pack`, and writes the hashes
# of what it copied back into them. Run it after changing a version in a vendor.json; needs npm.
set -eu
cd "$(dirname "$0")/.."
exec python3 - static/vendor/vendor.json tests/browser/vendor/vendor.json <<'PYTHON'
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

for manifest_path in map(pathlib.Path, sys.argv[1:]):
    manifest = json.loads(manifest_path.read_text())
    for package in manifest["packages"]:
        with tempfile.TemporaryDirectory() as folder:
            wanted = f"{package['name']}@{package['version']}"
            pack = ["npm", "pack", "--silent", "--pack-destination", folder, wanted]
            subprocess.run(pack, check=True, stdout=subprocess.DEVNULL)
            [archive] = pathlib.Path(folder).glob("*.tgz")
            with tarfile.open(archive) as contents:
                for target, entry in package["files"].items():
                    content = contents.extractfile(f"package/{entry['source']}").read()
                    path = manifest_path.parent / target
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                    entry["sha256"] = hashlib.sha256(content).hexdigest()
        print(f"{wanted}: {len(package['files'])} files")
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n")
PYTHON
