"""The scripts of the web interface fit their JSDoc types, where node is on the machine."""

from __future__ import annotations

from pathlib import Path

from tests.node_packages import node_modules, run, told

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src" / "atlas" / "ui" / "static"


def test_the_types_of_all_scripts_fit() -> None:
    """`tsconfig.json` names all scripts; types of the vendored libraries are in `ui_libraries.d.ts`."""
    done = run("node", node_modules() / "typescript" / "bin" / "tsc", "--project", ROOT, cwd=ROOT)
    assert done.returncode == 0, told(done)


def test_no_script_leaves_the_check() -> None:
    left = [path.name for path in STATIC.rglob("*.js") if "@ts-nocheck" in path.read_text(encoding="utf-8")]
    assert left == []
