"""The rules as their files say them, by name; the one that is made in a loop by its f-string."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def read_rules(path):
    """Return the blocks of a file's rules by name."""
    blocks = re.split(r"^ *rule ?(?=\w*:\n)", path.read_text(), flags=re.M)[1:]
    names = (re.search(r"^(\w+):|name:\n\s+f\"(.+)\"", block, re.M) for block in blocks)
    return {
        name[1] or name[2]: block.split("\n\n\n")[0]
        for name, block in zip(names, blocks, strict=True)
    }


RULES = {
    name: block
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    for name, block in read_rules(path).items()
}
TARGETS = read_rules(ROOT / "Snakefile")
LOCAL = set(re.findall(r"^    (\w+),$", (ROOT / "Snakefile").read_text(), re.M))


def keys_of(block):
    """Return the keywords of a rule's block."""
    return set(re.findall(r"^ {4,8}([a-z]+):", block, re.M))


def is_local(name):
    """Say whether a rule runs where Snakemake does, also on a cluster."""
    return "localrule" in keys_of(RULES[name]) or name in LOCAL


def asks_for(block, resource, attempt=1):
    """Return what an attempt asks for, 0 where a function of the rule's own says it."""
    found = re.search(rf"{resource}=(per_attempt\()?(\d+)", block)
    if not found:
        return 0
    return int(found[2]) * (attempt if found[1] else 1)
