"""Rule `write_report`: tables, figures and sentences in one page; prints the page's path last."""

from longtail_icd.common.files import write_text
from longtail_icd.common.script import run
from longtail_icd.report.page import render
from longtail_icd.report.sources import read_sources


def main(snakemake):
    params = snakemake.params
    settings = params.settings
    names = {
        "recipes": list(settings["recipes"]),
        "planned": params.planned,
        "assessed": params.assessed,
        "runs": params.runs,
    }
    sources = read_sources(snakemake.input, **names, own_prices=settings["generation"]["prices"])
    write_text(render(sources, settings, snakemake.input.template), snakemake.output.page)
    print(snakemake.output.page)


if __name__ == "__main__":
    run(main, snakemake)
