"""CodiEsp is downloaded from the record's own address and lands in the official layout."""

import hashlib
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.fetch import ARCHIVE, RECORD, extract, fetch_codiesp

FILES = {
    "release/README.txt": "read me",
    "release/train/trainD.tsv": "a\tr52\n",
    "release/train/text_files_en/a.txt": "Pain.",
    "other/notes.txt": "not of the corpus",
}


def zipped(files: dict[str, str]) -> bytes:
    """Return a zip archive of names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


RECORDED = json.dumps({"files": [{"key": ARCHIVE, "size": 7, "checksum": f"md5:{0:032}"}]})


class Zenodo:
    """A server on the loopback address that answers like Zenodo, or as told."""

    def __init__(self):
        self.archive = zipped(FILES)
        self.record = None
        self.sent = None  # bytes of the archive after which the connection breaks
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                is_record = self.path == f"/api/records/{RECORD}"
                is_archive = self.path == f"/records/{RECORD}/files/{ARCHIVE}?download=1"
                if not is_record and not is_archive:
                    self.send_error(404)
                    return
                body = answers.describe() if is_record else answers.archive
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if is_record else body[: answers.sent])

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def describe(self) -> bytes:
        """Return the record's description as JSON."""
        if self.record is not None:
            return self.record
        checksum = f"md5:{hashlib.md5(self.archive).hexdigest()}"
        one = {"key": ARCHIVE, "size": len(self.archive), "checksum": checksum}
        return json.dumps({"files": [one]}).encode()


@pytest.fixture
def zenodo(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    service = Zenodo()
    thread = threading.Thread(target=service.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield service
    service.server.shutdown()
    thread.join()
    service.server.server_close()


def _content(folder: Path):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_corpus_comes_without_the_folders_around_it(zenodo, tmp_path):
    folder = tmp_path / "resources" / "codiesp"
    fetch_codiesp(folder, zenodo.url)
    assert _content(folder) == ["README.txt", "train/text_files_en/a.txt", "train/trainD.tsv"]
    assert (folder / "train" / "trainD.tsv").read_text() == "a\tr52\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sent": 100}, "100 of [0-9]+ bytes came"),
        ({"archive": b"changed", "record": RECORDED}, "the record says"),
        ({"record": b'{"files": []}'}, "names no codiesp.zip"),
        ({"record": b"<html>"}, "names no codiesp.zip"),
        (
            {"record": RECORDED.replace("md5", "crc")},
            "unknown kind",
        ),
    ],
)
def test_a_bad_download_leaves_no_trace(zenodo, tmp_path, change, message):
    for name, value in change.items():
        setattr(zenodo, name, value.encode() if isinstance(value, str) else value)
    with pytest.raises(UserError, match=message) as error:
        fetch_codiesp(tmp_path / "codiesp", zenodo.url)
    assert "set corpus.path" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_server_is_one_clear_error(tmp_path):
    with pytest.raises(UserError, match="cannot be reached"):
        fetch_codiesp(tmp_path / "codiesp", "http://127.0.0.1:9")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "release/../../evil.txt", "a\\..\\b"])
def test_an_archive_cannot_write_outside_its_folder(tmp_path, name):
    path = tmp_path / "archive.zip"
    path.write_bytes(zipped({**FILES, name: "evil"}))
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(UserError, match="leads outside"):
        extract(path, target)
    assert _content(tmp_path) == ["archive.zip"]


@pytest.mark.parametrize("content", [zipped({"a.txt": "no corpus"}), b"no archive"])
def test_something_else_than_the_corpus_is_refused(tmp_path, content):
    path = tmp_path / "archive.zip"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"not CodiEsp|damaged archive"):
        extract(path, tmp_path / "target")
