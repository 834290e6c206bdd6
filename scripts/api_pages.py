"""Run by mkdocs: one page of the API for each room of the package."""

from pathlib import Path

import mkdocs_gen_files

PACKAGE = Path("dva_ros")

index = [
    "# API",
    "",
    "One page a room; the rooms are in [the architecture](../concepts/architecture.md).",
    "",
]
for room in sorted(path for path in PACKAGE.iterdir() if (path / "__init__.py").exists()):
    modules = [
        path.with_suffix("").as_posix().replace("/", ".")
        for path in sorted(room.rglob("*.py"))
        if path.name != "__init__.py"
    ]
    if not modules:
        continue
    page = [f"# dva_ros.{room.name}", "", f"::: dva_ros.{room.name}", ""]
    for module in modules:
        page += [f"## {module}", "", f"::: {module}", ""]
    with mkdocs_gen_files.open(f"api/{room.name}.md", "w") as file:
        file.write("\n".join(page))
    index.append(f"- [{room.name}]({room.name}.md)")
with mkdocs_gen_files.open("api/index.md", "w") as file:
    file.write("\n".join(index) + "\n")
