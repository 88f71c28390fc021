"""Keeps the browser libraries in `atlas/ui/vendor`: published files, with their versions and digests in one manifest.

    python scripts/vendor_javascript.py            verify the files against the manifest; needs no network
    python scripts/vendor_javascript.py --update   fetch the versions named here from npm, and write files and manifest

To upgrade a library, change its version in `LIBRARIES` and update. An update needs `npm`; nothing that npm fetches
runs, but esbuild for the one library whose modules are published singly.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "src" / "atlas" / "ui" / "vendor"
MANIFEST = "manifest.json"
ESBUILD = "esbuild@0.28.2"


@dataclass(frozen=True)
class Library:
    """A library of the interface. The first package gives the licence and the version that the manifest shows."""

    purpose: str
    packages: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    # The text of an entry module, of which esbuild makes `index.js` with all that it imports.
    entry: str = ""


LIBRARIES = {
    "vue": Library(
        "elements that follow their data; the build without the template compiler, which would need 'unsafe-eval'",
        {"vue": "3.5.45"},
        {"dist/vue.runtime.esm-browser.prod.js": "index.js"},
    ),
    "echarts": Library(
        "charts",
        {"echarts": "6.1.0", "zrender": "6.1.0"},
        {"dist/echarts.esm.min.mjs": "index.js", "NOTICE": "NOTICE", "licenses/LICENSE-d3": "LICENSE-d3"},
    ),
    "aggrid": Library(
        "grids of rows",
        {"ag-grid-community": "34.3.1"},
        {"dist/package/main.esm.min.mjs": "index.js"},
    ),
    "codemirror": Library(
        "the editor of SQL",
        {
            "codemirror": "6.0.2",
            "@codemirror/autocomplete": "6.20.4",
            "@codemirror/commands": "6.11.1",
            "@codemirror/lang-sql": "6.10.0",
            "@codemirror/language": "6.13.1",
            "@codemirror/lint": "6.9.8",
            "@codemirror/search": "6.7.2",
            "@codemirror/state": "6.7.6",
            "@codemirror/streamparser": "6.0.0",
            "@codemirror/theme-one-dark": "6.1.3",
            "@codemirror/view": "6.43.15",
            "@lezer/common": "1.5.5",
            "@lezer/highlight": "1.2.5",
            "@lezer/lr": "1.4.12",
            "@marijn/find-cluster-break": "1.0.4",
            "crelt": "1.0.7",
            "style-mod": "4.1.5",
            "w3c-keyname": "2.2.8",
        },
        entry="""
            export { basicSetup } from "codemirror";
            export { PostgreSQL, sql } from "@codemirror/lang-sql";
            export { defaultHighlightStyle, syntaxHighlighting } from "@codemirror/language";
            export { Compartment, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
            export { oneDarkHighlightStyle } from "@codemirror/theme-one-dark";
            export { Decoration, EditorView, keymap } from "@codemirror/view";
        """,
    ),
    "redoc": Library(
        "the page /redoc",
        {"redoc": "2.5.4"},
        {
            "bundles/redoc.standalone.js": "redoc.standalone.js",
            "bundles/redoc.standalone.js.LICENSE.txt": "redoc.standalone.js.LICENSE.txt",
        },
    ),
}


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verify(folder: Path = FOLDER) -> list[str]:
    """Compares the files with the manifest, and the manifest with `LIBRARIES`. Returns what differs, in words."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    problems = [
        f"{name}: the manifest names other versions than {Path(__file__).name}"
        for name in LIBRARIES.keys() | manifest.keys()
        if name not in LIBRARIES or manifest.get(name, {}).get("packages") != LIBRARIES[name].packages
    ]
    listed = {f"{name}/{file}": known for name, one in manifest.items() for file, known in one["sha256"].items()}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    problems += [f"{path}: no entry in the manifest" for path in there - listed.keys()]
    problems += [f"{path}: missing" for path in listed.keys() - there]
    problems += [f"{path}: changed" for path in listed.keys() & there if digest(folder / path) != listed[path]]
    return sorted(problems)


def update() -> None:
    """Fetches every library and writes the folder anew. Raises subprocess.CalledProcessError where npm fails."""
    manifest: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        for name, library in LIBRARIES.items():
            modules = work / name / "node_modules"
            for package, version in library.packages.items():
                fetch(f"{package}@{version}", modules / package)
            target = work / "vendor" / name
            licence = place(library, modules, target)
            manifest[name] = {
                "version": next(iter(library.packages.values())),
                "license": licence,
                "purpose": library.purpose,
                "packages": library.packages,
                "sha256": {path.name: digest(path) for path in sorted(target.iterdir())},
            }
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (work / "vendor" / MANIFEST).write_text(text, encoding="utf-8")
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(work / "vendor", FOLDER)


def fetch(package: str, target: Path) -> None:
    """Unpacks a published package, whose digest npm checks, without running anything of it."""
    target.mkdir(parents=True)
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(target), package]
    packed = target / subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    with tarfile.open(packed) as archive:
        for member in archive.getmembers():
            # Every member lies in one folder, mostly "package".
            member.name = member.name.partition("/")[2]
            if member.name:
                archive.extract(member, target, filter="data")
    packed.unlink()


def place(library: Library, modules: Path, target: Path) -> str:
    """Puts a library's files and licences into `target`. Returns the licences as an SPDX expression."""
    target.mkdir(parents=True)
    first, *others = library.packages
    for source, name in library.files.items():
        shutil.copy(modules / first / source, target / name)
    if library.entry:
        entry = modules.parent / "entry.js"
        entry.write_text(library.entry, encoding="utf-8")
        options = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none"]
        command = ["npx", "--yes", ESBUILD, str(entry), *options, f"--outfile={target / 'index.js'}"]
        subprocess.run(command, check=True, cwd=modules.parent, capture_output=True)
    texts: dict[str, list[str]] = {}
    licences = set()
    for package in (first, *others):
        licences.add(json.loads((modules / package / "package.json").read_text(encoding="utf-8"))["license"])
        text = next(iter(sorted((modules / package).glob("LICENSE*")))).read_text(encoding="utf-8").strip()
        texts.setdefault(text, []).append(package)
    parts = [f"{', '.join(packages)}:\n\n{text}\n" for text, packages in texts.items()]
    (target / "LICENSE.txt").write_text("\n".join(parts), encoding="utf-8")
    return " AND ".join(sorted(licences))


def main() -> int:
    parser = argparse.ArgumentParser(description="Keeps the browser libraries of the interface.")
    parser.add_argument("--update", action="store_true", help="fetch the libraries from npm")
    if parser.parse_args().update:
        update()
    problems = verify()
    print("\n".join(problems) or f"{len(LIBRARIES)} libraries are as {MANIFEST} says")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
