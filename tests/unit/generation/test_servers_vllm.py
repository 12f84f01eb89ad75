"""What a server of the job's own is started with."""

import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.generation.servers.opening import sampling_of
from longtail_icd.generation.servers.vllm_server import devices_of, read_server

WRITER = {
    "model": "org/model",
    "revision": "3f1c",
    "max_tokens": 10,
    "temperature": 1.0,
    "top_p": 0.9,
    "replicas": 2,
    "gpus_per_replica": 2,
    "start_s": 60,
}


def test_vllm_serves_the_pinned_revision_on_loopback():
    settings = read_server(WRITER | {"options": ["--max-model-len", "8192"]})
    assert settings.arguments(8123) == [
        *("vllm", "serve", "org/model", "--revision", "3f1c"),
        *("--served-model-name", "org/model@3f1c", "--host", "127.0.0.1", "--port", "8123"),
        *("--max-model-len", "8192"),
    ]


def test_requests_name_the_revision_so_that_the_journal_tells_revisions_apart():
    assert sampling_of(WRITER).body([], 1)["model"] == "org/model@3f1c"
    assert sampling_of(WRITER | {"revision": None}).body([], 1)["model"] == "org/model"


def test_a_folder_needs_no_revision_and_a_hub_id_does(tmp_path):
    here = read_server(WRITER | {"model": str(tmp_path), "revision": None})
    assert "--revision" not in here.arguments(1)
    with pytest.raises(UserError, match="revision: org/model is no folder here"):
        read_server(WRITER | {"revision": None})


def test_placeholders_are_replaced_and_other_braces_stay():
    command = ["serve", '--rope={"a": {model}}', "{port}{revision}"]
    settings = read_server(WRITER | {"command": command})
    assert settings.arguments(7) == ["serve", '--rope={"a": org/model}', "73f1c"]


@pytest.mark.parametrize(
    ("visible", "expected"), [(None, ["0,1", "2,3"]), ("7,GPU-ab,1,0", ["7,GPU-ab", "1,0"])]
)
def test_each_replica_has_its_share_of_the_jobs_gpus(visible, expected):
    settings = read_server(WRITER)
    assert [devices_of(replica, settings, visible) for replica in (0, 1)] == expected


def test_too_few_gpus():
    with pytest.raises(UserError, match="need 4 GPUs, and the job has 3"):
        devices_of(0, read_server(WRITER), "0,1,2")
