"""Rules `train_{model}`: fine-tune one model on one train set with one seed."""

from longtail_icd.common.script import run
from longtail_icd.training.job import launch


def main(snakemake):
    params = snakemake.params
    files = {
        name: value if isinstance(value, str) else list(value)
        for name, value in snakemake.input.items()
    }
    settings = params.settings
    job = {
        **dict(params.items()),
        "input": files,
        "output": dict(snakemake.output.items()),
        "seed": int(snakemake.wildcards.seed),
        "threads": snakemake.threads,
        # Read here and not from params: more checkpoints are no reason to train again.
        "save_steps": snakemake.config["models"][params.model]["save_steps"],
    }
    launch(job, settings["devices"])


if __name__ == "__main__":
    run(main, snakemake)
