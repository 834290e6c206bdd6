"""Links of the documentation lead somewhere: files, folders and headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").rglob("*.md")]
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives a page's headings."""
    found: dict[str, int] = {}
    names = set()
    for title in HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        seen = found.get(name, 0)
        names.add(f"{name}-{seen}" if seen else name)
        found[name] = seen + 1
    return names


def broken(page: Path, root: Path = ROOT) -> list[str]:
    """Links of a page that lead to nothing below `root`."""
    missing = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        there = target.exists() and target.is_relative_to(root)
        if not there or (anchor and anchor not in anchors(target)):
            missing.append(link)
    return missing


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_to_a_file_or_heading(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b`\n[x](absent.md) [y](#a-b) [z](#c) [w](https://example.org)\n")
    assert broken(page, root=tmp_path) == ["absent.md", "#c"]


def test_the_index_names_every_page() -> None:
    """Decisions have an index of their own."""
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    pages = {str(path.relative_to(docs)) for path in docs.rglob("*.md")} - {"README.md"}
    pages = {page for page in pages if not page.startswith("decisions/")} | {"decisions/README.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()


def test_the_index_of_decisions_names_every_page() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in folder.glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()


def test_paths_in_pages_exist() -> None:
    """Also where they are not links: `test/...`, `dva_ros/...`, `config/...` in code."""
    pattern = re.compile(
        r"`((?:test|dva_ros|config|launch|recipes|urdf|models|scripts)/[\w./-]+)`"
    )
    missing = {
        f"{page.relative_to(ROOT)}: {path}"
        for page in PAGES
        if "decisions" not in page.parts
        for path in pattern.findall(page.read_text(encoding="utf-8"))
        if not (ROOT / path).exists()
    }
    assert missing == set()
