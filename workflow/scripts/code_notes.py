"""Codes of new notes: `python workflow/scripts/code_notes.py --model FOLDER NOTES`; see --help."""

import argparse
import os
import sys
from pathlib import Path

from longtail_icd.common.errors import UserError
from longtail_icd.common.script import describe

DESCRIPTION = """Code new notes with a model folder, which is all it needs.

NOTES is a CSV (.csv), JSON lines (.jsonl), Parquet (.parquet), a note (.txt), a folder of .txt
files, or - for standard input. Each note gets the codes that the model predicts, with calibrated
probability, title, and the passages that the code looked at."""
EXAMPLES = """examples:
  code_notes.py --model model notes.csv --output codes.jsonl
  code_notes.py --model model notes.parquet --output codes.parquet --id-column hadm_id --top 20
  code_notes.py --model model letters/ --output codes.jsonl --html letter-17 letter-17.html
  code_notes.py --model model --format text - < note.txt

Codes hold passages of the notes: keep them as confidential as the notes. docs/prediction.md"""


def count(text):
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)


def parse():
    parser = argparse.ArgumentParser(
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("notes", metavar="NOTES", help="file, folder, or - for standard input")
    parser.add_argument("--model", required=True, metavar="FOLDER", help="a model folder")
    parser.add_argument(
        "--output", default="-", metavar="FILE", help=".jsonl or .parquet; default: JSON to stdout"
    )
    parser.add_argument(
        "--format",
        choices=["csv", "jsonl", "parquet", "text", "folder"],
        help="default: by the name; standard input: jsonl",
    )
    parser.add_argument("--id-column", default="note_id", metavar="NAME", help="default: note_id")
    parser.add_argument("--text-column", default="text", metavar="NAME", help="default: text")
    parser.add_argument(
        "--top",
        type=count,
        default=0,
        metavar="K",
        help="at least the K most probable codes of each note, predicted or not; default: 0",
    )
    parser.add_argument(
        "--passages", type=count, default=3, metavar="N", help="of a code at most; default: 3"
    )
    parser.add_argument(
        "--html",
        nargs=2,
        action="append",
        default=[],
        metavar=("NOTE_ID", "PAGE"),
        help="a page with a note and its evidence; may be repeated",
    )
    return parser.parse_args()


def code(arguments):
    # After the command line is read: loading torch takes seconds.
    from longtail_icd.prediction.coder import NoteCoder  # noqa: PLC0415
    from longtail_icd.prediction.notes import Columns, read_notes  # noqa: PLC0415
    from longtail_icd.prediction.output import check_output  # noqa: PLC0415
    from longtail_icd.prediction.run import code_notes  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    logging.set_verbosity_error()  # it warns of every model type that is not its own
    check_output(arguments.output)
    columns = Columns(arguments.id_column, arguments.text_column)
    notes = read_notes(arguments.notes, columns, arguments.format)
    coder = NoteCoder(arguments.model, arguments.top, arguments.passages)
    pages = {note_id: Path(page) for note_id, page in arguments.html}
    code_notes(notes, coder, arguments.output, pages)


def main():
    try:
        code(parse())
    except UserError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        sys.exit(describe(error))


if __name__ == "__main__":
    main()
