"""Notes by a real server, `transformers serve`, with a model of half a megabyte."""

import shutil

import polars as pl
import pytest
import yaml
from generation_stage import Stage
from serving import COMMAND, OPTIONS, offline_environment, transformers_serve
from tiny_model import make_speaking_model

NOTES = "results/tiny/generation/paper/notes.parquet"
SAMPLING = {"max_tokens": 400, "temperature": 1.0, "top_p": 1.0}
FETCHING = {"concurrency": 4, "timeout_s": 60.0}


def test_a_job_starts_a_real_server_and_has_its_notes_written(tmp_path):
    model = str(make_speaking_model(tmp_path / "speaking"))
    writer = {
        "backend": "vllm",
        "model": model,
        "revision": None,
        "command": [*COMMAND, "{model}", *OPTIONS, "--host", "127.0.0.1", "--port", "{port}"],
        **SAMPLING,
        **FETCHING,
        **{"replicas": 1, "gpus_per_replica": 0, "start_s": 120.0},
    }
    stage = Stage(tmp_path, writer)
    status, printed = stage.run(
        "compose_prompts", "generate_notes", **offline_environment(tmp_path / "home")
    )
    assert status == 0, printed
    responses = stage.read("responses/000")
    assert responses.height == 4
    assert set(responses["finish_reason"]) <= {"stop", "length"}
    assert all("the patient was" in text for text in responses["text"])
    assert responses["prompt_tokens"].min() > 10 and responses["completion_tokens"].min() > 10


@pytest.mark.slow
def test_four_shards_at_once_through_snakemake_and_again_without_a_server(unrun, tmp_path):
    path = unrun.folder / "tests/config/tiny.yaml"
    with transformers_serve(tmp_path) as (base_url, model):
        config = yaml.safe_load(path.read_text())
        writer = {"backend": "openai", "base_url": base_url, "model": model, "api_key_env": None}
        writer |= {"max_tokens_key": "max_tokens", **SAMPLING, **FETCHING}
        config["recipes"]["paper"] |= {"writer": "served"}
        config |= {"writers": {"served": writer}, "generation": {"shards": 4}}
        path.write_text(yaml.safe_dump(config))
        unrun.snakemake(NOTES, "--cores", "4")
    folder = unrun.result("generation/paper/responses")
    responses = pl.concat(pl.read_parquet(shard) for shard in sorted(folder.iterdir()))
    assert set(responses["endpoint"]) == {base_url}
    assert set(responses["finish_reason"]) <= {"stop", "length"}
    notes = pl.read_parquet(unrun.folder / NOTES)
    written = notes.filter(pl.col("status") == "ok")["text"]
    assert written.len() > 0 and all("the patient was" in text for text in written)
    # What was answered is in the journal: the server is gone, and nothing is missed.
    shutil.rmtree(folder)
    unrun.snakemake(NOTES, "--cores", "4")
    assert pl.read_parquet(unrun.folder / NOTES).equals(notes)
