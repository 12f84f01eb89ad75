"""A published split is downloaded whole and checked, or nothing is kept."""

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.fetch_split import fetch_split, read_addresses
from longtail_icd.corpus.split_files import find_split_files
from longtail_icd.corpus.split_ids import read_ids

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "resources" / "published_splits.yaml"
FILES = {f"{split}_full_hadm_ids.csv": split for split in ("train", "dev", "test")}
CONTENT = {file: f"{number}\n".encode() for number, file in enumerate(FILES)}
SHA256 = {file: hashlib.sha256(content).hexdigest() for file, content in CONTENT.items()}


@pytest.fixture
def server(monkeypatch):
    """Serve CONTENT on the loopback address; ``cut`` breaks off every file."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = CONTENT.get(self.path.removeprefix("/ids/"))
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: self.server.cut])

        def log_message(self, *_):
            pass

    service = HTTPServer(("127.0.0.1", 0), Handler)
    service.cut = None
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield service
    service.shutdown()
    thread.join()
    service.server_close()


@pytest.fixture
def addresses(server, tmp_path):
    """Return the addresses of a published split on the test's own server."""
    base = f"http://127.0.0.1:{server.server_port}/ids"
    table = tmp_path / "published.yaml"
    table.write_text(yaml.safe_dump({"here": {"base_url": base, "files": list(FILES)}}))
    return read_addresses(table, "here")


def test_the_files_of_a_split_arrive_and_are_read(addresses, tmp_path):
    folder = tmp_path / "splits" / "here"
    fetch_split(folder, addresses, {"split": "here", "sha256": SHA256})
    listed = read_ids(find_split_files(folder))
    assert dict(listed.rows()) == {"0": "train", "1": "dev", "2": "test"}


@pytest.mark.parametrize(
    ("sha256", "message"),
    [
        (
            {**SHA256, "dev_full_hadm_ids.csv": "0" * 64},
            r"^dev_full_hadm_ids.csv: SHA-256 .*says 0",
        ),
        ({}, r"no checksum is configured.*dev_full_hadm_ids.csv: CAME"),
    ],
    ids=["another checksum", "no checksum"],
)
def test_what_does_not_fit_its_checksum_is_not_kept(addresses, tmp_path, sha256, message):
    folder = tmp_path / "splits" / "here"
    message = message.replace("CAME", SHA256["dev_full_hadm_ids.csv"])
    with pytest.raises(UserError, match=message):
        fetch_split(folder, addresses, {"split": "here", "sha256": sha256})
    assert not list(folder.parent.iterdir())


@pytest.mark.parametrize("fault", ["missing", "cut"])
def test_a_download_that_fails_leaves_nothing(server, addresses, tmp_path, fault):
    if fault == "cut":
        server.cut = 1
    else:
        addresses["dev_full_hadm_ids.csv"] += "x"
    folder = tmp_path / "splits" / "here"
    with pytest.raises(UserError, match=r"cannot be reached|broke off|1 of 2 bytes came"):
        fetch_split(folder, addresses, {"split": "here", "sha256": SHA256})
    assert not list(folder.parent.iterdir())


def test_an_unknown_split_names_the_known_ones():
    with pytest.raises(UserError, match=r"no name is set; published splits: edin_mimic3_50, .*"):
        read_addresses(PUBLISHED, None)


def test_every_published_split_is_pinned_and_selectable():
    """A branch would change under the reader; and what the schema offers must have an address."""
    published = yaml.safe_load(PUBLISHED.read_text())
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    split = schema["properties"]["corpus"]["properties"]["split"]["properties"]
    offered = split["download"]["properties"]["split"]["enum"]
    assert sorted(published) == sorted(name for name in offered if name)
    for name in published:
        for address in read_addresses(PUBLISHED, name).values():
            assert re.match(
                r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}/", address
            )


def test_no_ids_are_part_of_the_project():
    """They are derived from MIMIC: the folder that takes them is ignored by git."""
    assert "resources/splits/" in (ROOT / ".gitignore").read_text().splitlines()
