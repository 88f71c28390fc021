"""The browser libraries of the interface are the published files that the manifest names, and the wheel has them."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "atlas" / "ui"
sys.path.insert(0, str(ROOT / "scripts"))
try:
    import vendor_javascript as vendoring
finally:
    sys.path.pop(0)


def test_files_are_those_of_the_manifest() -> None:
    assert vendoring.verify() == []


def test_what_differs_is_told(tmp_path: Path) -> None:
    copy = tmp_path / "vendor"
    shutil.copytree(vendoring.FOLDER, copy)
    (copy / "vue" / "index.js").write_text("export {};", encoding="utf-8")
    (copy / "echarts" / "NOTICE").unlink()
    (copy / "more.js").touch()
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["redoc"]["packages"]["redoc"] = "1.0.0"
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    told = [problem.partition(":")[0] for problem in vendoring.verify(copy)]
    assert told == ["echarts/NOTICE", "more.js", "redoc", "vue/index.js"]


def test_every_library_has_its_licence_and_the_project_names_it() -> None:
    manifest = json.loads((vendoring.FOLDER / "manifest.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, library in manifest.items():
        assert "LICENSE.txt" in library["sha256"], name
        assert set(library["license"].split(" AND ")) <= set(project["license"].split(" AND ")), name


def test_scripts_load_what_is_there() -> None:
    texts = [path.read_text(encoding="utf-8") for path in [*SOURCE.rglob("static/**/*.js"), *SOURCE.glob("*.py")]]
    loaded = {found for text in texts for found in re.findall(r'"/ui/lib/([\w/.-]+\.js)"', text)}
    assert {path.partition("/")[0] for path in loaded} == set(vendoring.LIBRARIES)
    assert [path for path in loaded if not (vendoring.FOLDER / path).is_file()] == []


def test_the_wheel_has_every_file_of_the_interface() -> None:
    """What setuptools takes by the patterns in pyproject.toml, compared with what is there."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    package = SOURCE.parent
    taken = {path for pattern in setup["package-data"]["atlas"] for path in package.glob(pattern) if path.is_file()}
    there = {path for folder in ("static", "vendor") for path in (SOURCE / folder).rglob("*") if path.is_file()}
    assert there - taken == set()
