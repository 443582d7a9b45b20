"""A hook of MkDocs: the documents of the repository's root become pages of the site, and links to other files of the
repository lead to the repository. In the repository itself all links stay as they are."""

import os
import posixpath
import re

from mkdocs.structure.files import File

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = ["ARCHITECTURE.md", "RATIONALE.md", "CONFORMANCE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def on_files(files, config):
    for name in PAGES:
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            files.append(File.generated(config, "reference/" + name, content=f.read()))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links are written as paths in the repository. Here they are made paths in the site, or URLs."""
    name = page.file.src_uri
    if name.startswith("reference/"):
        here = ""
    else:
        here = posixpath.join("docs", posixpath.dirname(name))

    def replaced(match):
        target = match.group(2)
        if re.match(r"[a-z]+:|#", target):
            return match.group(0)
        path, mark, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(here, path))
        if path.startswith("docs/") and files.get_file_from_path(path[5:]):
            to = path[5:]
        elif path in PAGES:
            to = "reference/" + path
        elif name == "index.md" and target.startswith("reference/"):
            return match.group(0)
        else:
            if not os.path.exists(os.path.join(ROOT, path)):
                raise SystemExit(f"{name}: there is no {path}")
            return f"{match.group(1)}{config.repo_url}/blob/main/{path}{mark}{anchor}{match.group(3)}"
        to = posixpath.relpath(to, posixpath.dirname(name) or ".")
        return f"{match.group(1)}{to}{mark}{anchor}{match.group(3)}"

    code = re.compile(r"(```.*?```|`[^`\n]*`)", re.S)
    parts = code.split(markdown)
    return "".join(p if i % 2 else LINK.sub(replaced, p) for i, p in enumerate(parts))
