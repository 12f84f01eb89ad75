"""Draw the workflow's rule graph into the README, between its two markers.

Usage: python docs/draw_dag.py README.md [--check]
"""

import re
import subprocess
import sys
from pathlib import Path

START, END = "<!-- rule graph: `make dag` -->", "<!-- end of rule graph -->"


def rule_graph() -> str:
    """Return Snakemake's rule graph of the demo as Mermaid, in an order that stays the same.

    Snakemake numbers the rules anew in each call; here they go by their names.
    """
    snakemake = Path(sys.executable).parent / "snakemake"
    command = [str(snakemake), "--rulegraph", "mermaid-js", "--forceall", "--quiet"]
    drawn = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", drawn))
    edges = re.findall(r"(id\d+) --> (id\d+)", drawn)
    lines = sorted(f"    {names[source]} --> {names[target]}" for source, target in edges)
    return "\n".join(["flowchart TB", *lines])


def with_graph(text: str, graph: str) -> str:
    """Return ``text`` with the graph between the markers replaced."""
    block = f"{START}\n```mermaid\n{graph.strip()}\n```\n{END}"
    return re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: block, text, flags=re.S)


def main() -> None:
    """Rewrite the file, or with --check exit 1 if it is out of step."""
    path = Path(sys.argv[1])
    text = path.read_text(encoding="utf-8")
    drawn = with_graph(text, rule_graph())
    if "--check" in sys.argv:
        sys.exit(f"{path}: the rule graph is out of step; run `make dag`" if drawn != text else 0)
    path.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
