"""The store: fetching from a server on this machine, resuming, hashes, local copies, and the verb."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vultus import cli
from vultus.core.errors import InputError, MissingPartError
from vultus.perception.published import download, store, table
from vultus.perception.published.table import TABLE, PublishedFile, PublishedNetwork

CONTENT = bytes(range(256)) * 40_000
"""10.24 MB: several chunks."""
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """What a test may set, and what was asked."""

    address: str = ""
    content: bytes = CONTENT
    breaks_after: int | None = None
    """Bytes of an answer after which the connection is closed."""
    knows_ranges: bool = True
    status: int = 200
    asked: list[str | None] = field(default_factory=list)
    """The Range of every request."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            if state.status != 200:
                self.send_error(state.status)
                return
            start = int(wanted[len("bytes=") : -1]) if wanted and state.knows_ranges else 0
            if start >= len(state.content):
                self.send_error(416)
                return
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.breaks_after])

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state.address = f"http://127.0.0.1:{running.server_port}/net.pth"
    yield state
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(store.STORE_VARIABLE, str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch):
    """Put a network of these files into the table, as `net`."""

    def put(*files: PublishedFile) -> None:
        monkeypatch.setitem(TABLE, "net", PublishedNetwork("net", files, "tests", "ours", "https://example.org/net"))

    return put


@pytest.mark.parametrize("known", [SHA256, SHA256[:8]], ids=["whole hash", "prefix"])
def test_fetch(server, publish, folder, known) -> None:
    publish(PublishedFile("net.pth", server.address, known, len(CONTENT)))
    with pytest.raises(MissingPartError, match="vultus weights fetch net"):
        store.weights_path("net")
    steps: list[tuple[int, int | None]] = []
    assert store.fetch("net", on_progress=lambda done, total: steps.append((done, total))) == folder / "net"
    assert store.weights_path("net").read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT)) and len(steps) > 1
    assert os.listdir(folder / "net") == ["net.pth"]
    assert [stored.state for stored in store.verify("net")] == ["whole"]
    store.fetch("net")
    assert len(server.asked) == 1  # it was there


def test_a_broken_download_goes_on(server, publish, folder) -> None:
    publish(PublishedFile("net.pth", server.address, SHA256))
    server.breaks_after = 3_000_000
    with pytest.raises(MissingPartError, match="could not be fetched"):
        store.fetch("net")
    assert not store.is_fetched("net")
    server.breaks_after = None
    store.fetch("net")
    assert server.asked == [None, "bytes=3000000-"]
    assert store.weights_path("net").read_bytes() == CONTENT
    assert os.listdir(folder / "net") == ["net.pth"]


def test_a_server_that_knows_no_ranges_sends_all_again(server, publish) -> None:
    publish(PublishedFile("net.pth", server.address, SHA256))
    server.breaks_after, server.knows_ranges = 3_000_000, False
    with pytest.raises(MissingPartError):
        store.fetch("net")
    server.breaks_after = None
    store.fetch("net")
    assert store.weights_path("net").read_bytes() == CONTENT


def test_killed_between_the_last_byte_and_the_renaming(server, publish, folder) -> None:
    publish(PublishedFile("net.pth", server.address, SHA256))
    (folder / "net").mkdir(parents=True)
    download.partial_name(folder / "net" / "net.pth").write_bytes(CONTENT)
    store.fetch("net")
    assert server.asked == [f"bytes={len(CONTENT)}-"]
    assert store.weights_path("net").read_bytes() == CONTENT


def test_something_else_than_the_published_file(server, publish, folder) -> None:
    publish(PublishedFile("net.pth", server.address, SHA256))
    server.content = b"<html>please log in</html>"
    with pytest.raises(InputError, match="not the published"):
        store.fetch("net")
    assert os.listdir(folder / "net") == []


def test_without_a_published_hash_the_first_file_is_remembered(server, publish, folder) -> None:
    publish(PublishedFile("net.pth", server.address))
    server.breaks_after = 3_000_000
    with pytest.raises(MissingPartError):
        store.fetch("net")
    server.breaks_after = None
    store.fetch("net")
    assert server.asked == [None, None]  # two halves might be of two files
    assert [stored.state for stored in store.verify("net")] == ["whole"]
    (folder / "net" / "net.pth").write_bytes(b"something else")
    assert [stored.state for stored in store.verify("net")] == ["changed"]


def test_a_changed_file_is_replaced(server, publish, folder) -> None:
    publish(PublishedFile("net.pth", server.address, SHA256))
    (folder / "net").mkdir(parents=True)
    (folder / "net" / "net.pth").write_bytes(b"half")
    assert [stored.state for stored in store.verify("net")] == ["changed"]
    store.fetch("net")
    assert [stored.state for stored in store.verify("net")] == ["whole"]


def test_offline_and_missing_at_the_server(server, publish, folder) -> None:
    publish(PublishedFile("net.pth", server.address, SHA256))
    server.status = 404
    with pytest.raises(MissingPartError, match="404"):
        store.fetch("net")
    publish(PublishedFile("net.pth", "http://127.0.0.1:1/net.pth", SHA256))
    with pytest.raises(MissingPartError, match="connection"):
        store.fetch("net")
    assert os.listdir(folder / "net") == []


def test_local_copies(publish, tmp_path, folder) -> None:
    publish(PublishedFile("net.pth", "", SHA256))
    with pytest.raises(MissingPartError, match=r"example\.org.*--from FILE"):
        store.fetch("net")
    wrong, right = tmp_path / "wrong.bin", tmp_path / "under another name.bin"
    wrong.write_bytes(b"no")
    right.write_bytes(CONTENT)
    with pytest.raises(InputError, match=r"wrong\.bin: this is not the published"):
        store.fetch("net", wrong)
    assert os.listdir(folder / "net") == []
    store.fetch("net", right)
    assert store.weights_path("net").read_bytes() == CONTENT and wrong.exists() and right.exists()
    with pytest.raises(InputError, match="no such file"):
        store.fetch("net", tmp_path / "none")


def test_a_network_of_several_files(publish, tmp_path) -> None:
    publish(PublishedFile("net.pth", "", SHA256), PublishedFile("words.txt"))
    with pytest.raises(InputError, match="no such file"):
        store.fetch("net", tmp_path / "here")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "net.pth").write_bytes(CONTENT)
    (tmp_path / "here" / "words.txt").write_bytes(b"words")
    other = tmp_path / "here" / "other"
    other.write_bytes(CONTENT)
    with pytest.raises(InputError, match=r"net\.pth, words\.txt"):
        store.fetch("net", other)
    store.fetch("net", tmp_path / "here" / "net.pth")
    assert not store.is_fetched("net")
    with pytest.raises(MissingPartError):
        store.weights_folder("net")
    store.fetch("net", tmp_path / "here")
    assert store.is_fetched("net") and store.weights_path("net", "words.txt").read_bytes() == b"words"
    assert store.weights_folder("net") == store.store_folder() / "net"


def test_where_the_store_is(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv(store.STORE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert store.store_folder() == tmp_path / "vultus" / "weights"


def test_a_store_that_cannot_be(publish, monkeypatch, tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(store.STORE_VARIABLE, str(tmp_path / "file" / "below"))
    publish(PublishedFile("net.pth", "", SHA256))
    with pytest.raises(InputError, match="VULTUS_WEIGHTS"):
        store.fetch("net", tmp_path / "file")


def test_the_table_is_sound() -> None:
    assert list(TABLE) == [network.name for network in TABLE.values()]
    for network in TABLE.values():
        assert network.files and network.purpose and network.licence and network.page.startswith("https://")
        names = [file.name for file in network.files]
        assert len(set(names)) == len(names)
        for file in network.files:
            assert not file.address or file.address.startswith("https://")
            assert not file.sha256 or (len(file.sha256) == 64 and int(file.sha256, 16))
            if prefix := re.search(r"-([0-9a-f]{8})\.pth$", file.name):  # torchvision writes it into the name
                assert file.sha256.startswith(prefix[1])
    with pytest.raises(InputError, match="choose vgg19, alexnet"):
        table.published_network("vgg")


def test_the_verb(server, publish, folder, capsys) -> None:
    publish(PublishedFile("net.pth", server.address, SHA256, len(CONTENT)))
    assert cli.run(["weights", "list", "net"]) == 0
    assert capsys.readouterr().out.split()[:5] == ["net", "-", "10.2", "MB", "tests"]
    assert cli.run(["weights", "fetch", "net"]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(folder / "net") and "10/10" in captured.err
    assert cli.run(["weights", "verify", "net"]) == 0
    assert "whole" in capsys.readouterr().out
    assert cli.run(["weights", "list"]) == 0
    assert "here" in capsys.readouterr().out
    (folder / "net" / "net.pth").write_bytes(b"something else")
    assert cli.run(["weights", "verify"]) == cli.NOT_VERIFIED
    assert "NOT the published file" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["fetch"], ["fetch", "nothing"], ["list", "nothing"], ["verify", "net", "--from", "a"], ["fetch", "net"]],
)
def test_mistakes_are_one_sentence(publish, capsys, arguments) -> None:
    publish(PublishedFile("net.pth", "http://127.0.0.1:1/net.pth", SHA256))
    assert cli.run(["weights", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
