"""A library exports what abi.txt says and nothing else: exports.py LIBRARY ABI.TXT."""

import re
import subprocess
import sys


def main():
    text = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], text=True,
                          capture_output=True, check=True).stdout
    exported = {line.split()[-1] for line in text.splitlines()}
    with open(sys.argv[2], encoding="utf-8") as file:
        promised = set(re.findall(r"^function (\w+):", file.read(), re.MULTILINE))
    for name in sorted(exported - promised):
        print(f"exported, but in no public header: {name}")
    for name in sorted(promised - exported):
        print(f"promised, but not exported: {name}")
    return 0 if exported == promised else 1


if __name__ == "__main__":
    sys.exit(main())
