"""Links in the Markdown files lead somewhere: links.py [TREE]. Prints each dead one and exits 1.

Only links within the tree are followed, with their #anchors; the network is not asked.
"""

import pathlib
import re
import sys
import urllib.parse

LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?\)")
HEADING = re.compile(r"^#+\s+(.*?)\s*#*$", re.MULTILINE)
CODE = re.compile(r"^(```|~~~).*?^\1[ \t]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
SKIPPED = {"build", "node_modules", ".git", "installed"}


def pages(tree):
    for path in sorted(tree.rglob("*.md")):
        if not SKIPPED & set(path.relative_to(tree).parts):
            yield path


def anchors(path):
    """The anchors that GitHub makes of a page's headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = set()
    for heading in HEADING.findall(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return found


def problem(page, link, tree):
    name, _, anchor = urllib.parse.unquote(link).partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.is_relative_to(tree):
        return "leaves the tree"
    if not target.exists():
        return "leads nowhere"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return "no such heading"
    return None


def main():
    tree = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    dead = 0
    for page in pages(tree):
        text = page.read_text(encoding="utf-8")
        code = [found.span() for found in CODE.finditer(text)]
        for found in LINK.finditer(text):
            inside = any(start <= found.start() < end for start, end in code)
            if inside or re.match(r"[a-z]+:", found.group(1)):
                continue
            why = problem(page, found.group(1), tree)
            if why:
                dead += 1
                line = text.count("\n", 0, found.start()) + 1
                print(f"{page.relative_to(tree)}:{line}: {found.group(1)}: {why}")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
