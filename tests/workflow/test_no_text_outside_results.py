"""No prompt, note or key in any log, message or metadata of Snakemake, even when jobs fail."""

import polars as pl
import pytest
import yaml
from stand_in_server import StandInServer

KEY = "sk-never-show-this"


def _outside_results(checkout):
    """Return the content of every file that a run leaves outside results/, by path."""
    files = (path for path in checkout.folder.rglob("*") if path.is_file())
    return {
        path: path.read_bytes()
        for path in files
        if "results" not in path.relative_to(checkout.folder).parts
    }


def _planted(checkout, server):
    """Return lines of train notes that the server was shown, and what its own notes begin with."""
    shown = "\n".join(
        message["content"] for _, body in server.requests for message in body["messages"]
    )
    notes = pl.read_parquet(checkout.result("corpus/notes/train.parquet"))["text"]
    lines = {line for text in notes for line in text.splitlines() if len(line) > 25}
    return [line.encode() for line in sorted(lines) if line in shown] + [b"Stand-in note"]


@pytest.mark.parametrize("behaviour", ["ok", "quoting"])
def test_planted_words_stay_in_results(changeable, monkeypatch, behaviour):
    """The answers are good, or the server quotes the prompt in its error."""
    monkeypatch.setenv("STAND_IN_KEY", KEY)
    monkeypatch.setenv("OPENAI_LOG", "debug")
    before = _outside_results(changeable)
    with StandInServer(lambda *_: behaviour) as server:
        writer = server.writer(api_key_env="STAND_IN_KEY", concurrency=2)
        served = {"writers": {"served": writer}, "recipes": {"paper": {"writer": "served"}}}
        overlay = changeable.folder / "config" / "served.yaml"
        overlay.write_text(yaml.safe_dump(served))
        printed = changeable.snakemake(
            *("results/tiny/generation/paper/notes.parquet", "--verbose", "--printshellcmds"),
            *("--show-failed-logs", "--configfile", "tests/config/tiny.yaml", str(overlay)),
            check=behaviour == "ok",
        )
        assert server.requests[0][0]["authorization"] == f"Bearer {KEY}"
    after = _outside_results(changeable)
    written = {path: said for path, said in after.items() if before.get(path) != said}
    assert any(".snakemake" in path.parts for path in written)
    planted = [KEY.encode(), *_planted(changeable, server)]
    assert len(planted) > 4
    for word in planted:
        assert word not in printed.encode()
        assert not [path for path, content in written.items() if word in content], word
