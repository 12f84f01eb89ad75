"""Rule `plot_f1_by_code`: every code's F1 under two train sets against each other."""

from longtail_icd.common.files import write_text
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.report.f1_by_code import code_pairs, draw_f1_by_code


def main(snakemake):
    params = snakemake.params
    codes = read_table(snakemake.input.codes, "report/codes")
    pairs = code_pairs(codes, params.comparison)
    write_text(draw_f1_by_code(pairs, params.comparison), snakemake.output.figure)


if __name__ == "__main__":
    run(main, snakemake)
