"""Rule `summarise_costs`: what all recipes with an LLM will cost, on one page."""

from longtail_icd.common.files import read_json, write_json, write_text
from longtail_icd.common.script import run
from longtail_icd.generation.cost.page import cost_page


def main(snakemake):
    costs = [read_json(path) for path in snakemake.input]
    write_json(costs, snakemake.output.costs)
    write_text(cost_page(costs), snakemake.output.page)


if __name__ == "__main__":
    run(main, snakemake)
