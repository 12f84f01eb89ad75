"""What reviewers said: `python workflow/scripts/score_review.py KEY SHEET [SHEET ...]`."""

import argparse
import sys

import polars as pl
from longtail_icd.common.errors import UserError
from longtail_icd.generation.quality.returned import in_words, read_key, read_sheet, score_review


def main():
    parser = argparse.ArgumentParser(description="Score returned review sheets.")
    parser.add_argument("key", help="review_key.csv, made with the sheet")
    parser.add_argument("sheets", nargs="+", help="returned sheets, one per reviewer")
    arguments = parser.parse_args()
    try:
        key = read_key(arguments.key)
        sheets = pl.concat([read_sheet(path, key) for path in arguments.sheets])
        print(in_words(score_review(sheets)))
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
