"""Run what the README shows: readme.py README.md. Exits 1 if a command fails or a link is broken.

Fenced blocks with a file name ("```yaml first.yaml") become that file; each line of a `sh` block is
run. All of it happens in a temporary folder that shows the tree through links, so that nothing is
written to the tree. `./dev run` and `./dev test` are left out: they run this. Exits 77 in a tree
without the program, or without the plugin that the first rule uses.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)[ \t]*(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)\)")
LEFT_OUT = {"./dev run", "./dev test"}
NEEDED = ("build/release/bin/atamo", "build/release/lib/atamo/plugins/log.so")
NOTHING_TO_TEST = 77


def broken_links(text, tree):
    names = [name for name in LINK.findall(text) if "://" not in name]
    return [name for name in names if not (tree / name).exists()]


def run(line, folder):
    print(f"$ {line}", flush=True)
    result = subprocess.run(["bash", "-euc", line], cwd=folder, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=120)
    print(result.stdout, end="", flush=True)
    return result.returncode


def run_blocks(text, folder):
    failed = 0
    for language, name, body in BLOCK.findall(text):
        if name:
            (folder / name).unlink(missing_ok=True)  # never through a link into the tree
            (folder / name).write_text(body)
        elif language == "sh":
            for line in body.splitlines():
                if line.strip() and line not in LEFT_OUT and run(line, folder) != 0:
                    failed += 1
                    print(f"failed: {line}")
    return failed


def main():
    readme = pathlib.Path(sys.argv[1]).resolve()
    tree, text = readme.parent, readme.read_text()
    broken = broken_links(text, tree)
    for name in broken:
        print(f"broken link: {name}")
    if broken:
        return 1
    if not all((tree / name).exists() for name in NEEDED):
        return NOTHING_TO_TEST
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for entry in tree.iterdir():
            (folder / entry.name).symlink_to(entry)
        return 1 if run_blocks(text, folder) else 0


if __name__ == "__main__":
    sys.exit(main())
