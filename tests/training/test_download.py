"""Fetching a set: from a real HTTP server that is slow, breaks off, lies, or is away."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from training import download
from training.cli import data
from training.datasets import load
from training.download import DownloadError, NetworkError, get
from training.recipe import Source

SET = "ml-latest-small"


def zipped(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("ratings.csv", "movies.csv"):
            archive.write(folder / name, f"{SET}/{name}")
    return packed.getvalue()


@dataclass
class Site:
    """What the server does: `content`, its stated `checksum`, and tricks by the number of the request for the zip."""

    content: bytes
    checksum: str = ""
    breaks_at: dict[int, int] = field(default_factory=dict)
    """Request → bytes after which the connection is dropped."""
    overstated: int = 0
    """By how many bytes its stated length is wrong."""
    ranges: bool = True
    status: int = 200
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self.checksum = self.checksum or f"MD5 ({SET}.zip) = {hashlib.md5(self.content).hexdigest()}\n"


@contextmanager
def served(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            if self.path.endswith(".md5"):
                self.answer(200, site.checksum.encode())
                return
            site.asked.append(self.headers.get("Range"))
            if site.status != 200:
                self.answer(site.status, b"")
                return
            wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
            if wanted and site.ranges:
                start = int(wanted.group(1))
                if start >= len(site.content):
                    self.answer(416, b"", {"Content-Range": f"bytes */{len(site.content)}"})
                    return
                span = f"bytes {start}-{len(site.content) - 1}/{len(site.content)}"
                self.answer(206, site.content[start:], {"Content-Range": span}, tricky=True)
                return
            self.answer(200, site.content, tricky=True)

        def answer(
            self, status: int, body: bytes, headers: dict[str, str] | None = None, *, tricky: bool = False
        ) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + (site.overstated if tricky else 0)))
            self.end_headers()
            limit = site.breaks_at.get(len(site.asked)) if tricky else None
            self.wfile.write(body[:limit])
            if limit is not None or site.overstated:
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(2)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def fetched(site: Site, into: Path) -> Path:
    return get(SET, into, site=site.url, pause=0.01)


def left_over(into: Path) -> list[str]:
    return sorted(path.name for path in into.iterdir()) if into.exists() else []


def test_a_set_arrives_whole_and_can_be_read(folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with served(Site(zipped(folder))) as site:
        found = get(SET, tmp_path, site=site.url, report=lambda have, total: seen.append((have, total)))
    assert load(found, [Source()]).data_hash == load(folder, [Source()]).data_hash
    assert left_over(tmp_path) == [SET]
    assert seen[-1] == (len(site.content), len(site.content))


def test_a_broken_connection_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    with served(Site(zipped(folder), breaks_at={1: 1000, 2: 500})) as site:
        fetched(site, tmp_path)
    assert site.asked == [None, "bytes=1000-", "bytes=1500-"]
    assert left_over(tmp_path) == [SET]


def test_the_same_command_goes_on_where_a_stopped_one_was(folder: Path, tmp_path: Path) -> None:
    with served(Site(zipped(folder))) as site:
        (tmp_path / f".{SET}.zip.part").write_bytes(site.content[:700])
        fetched(site, tmp_path)
    assert site.asked == ["bytes=700-"]


def test_what_was_wholly_received_before_is_not_asked_for_again(folder: Path, tmp_path: Path) -> None:
    with served(Site(zipped(folder))) as site:
        (tmp_path / f".{SET}.zip.part").write_bytes(site.content)
        fetched(site, tmp_path)
    assert left_over(tmp_path) == [SET]


def test_a_part_of_another_file_is_thrown_away(folder: Path, tmp_path: Path) -> None:
    with served(Site(zipped(folder))) as site:
        (tmp_path / f".{SET}.zip.part").write_bytes(site.content + b"more")
        fetched(site, tmp_path)
    assert left_over(tmp_path) == [SET]


def test_a_site_that_cannot_go_on_begins_anew(folder: Path, tmp_path: Path) -> None:
    with served(Site(zipped(folder), breaks_at={1: 1000}, ranges=False)) as site:
        fetched(site, tmp_path)
    assert site.asked == [None, "bytes=1000-"]


def test_a_site_that_promises_more_than_it_sends_is_not_believed(folder: Path, tmp_path: Path) -> None:
    with served(Site(zipped(folder), overstated=10)) as site:
        found = fetched(site, tmp_path)
    assert (found / "ratings.csv").is_file()


def test_a_site_that_promises_less_than_it_has_is_found_out(folder: Path, tmp_path: Path) -> None:
    with (
        served(Site(zipped(folder), overstated=-10)) as site,
        pytest.raises(DownloadError, match="so it was thrown away"),
    ):
        fetched(site, tmp_path)
    assert left_over(tmp_path) == []


def test_a_wrong_checksum_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    with (
        served(Site(zipped(folder), checksum="0" * 32)) as site,
        pytest.raises(DownloadError, match=r"has the checksum [0-9a-f]{32} and not 0{32}, so it was thrown away"),
    ):
        fetched(site, tmp_path)
    assert left_over(tmp_path) == []


def test_a_checksum_that_is_none_is_said(folder: Path, tmp_path: Path) -> None:
    with (
        served(Site(zipped(folder), checksum="<html>sorry</html>")) as site,
        pytest.raises(DownloadError, match="holds no checksum"),
    ):
        fetched(site, tmp_path)


def test_a_connection_that_breaks_off_again_and_again_is_given_up_and_the_part_kept(
    folder: Path, tmp_path: Path
) -> None:
    breaks = {1: 900} | dict.fromkeys(range(2, 20), 0)
    with (
        served(Site(zipped(folder), breaks_at=breaks)) as site,
        pytest.raises(
            NetworkError,
            match=r"^127\.0\.0\.1 cannot be reached .* 900 bytes are kept; the same command goes on from there\.$",
        ),
    ):
        fetched(site, tmp_path)
    assert left_over(tmp_path) == [f".{SET}.zip.part"]


def test_a_network_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"^localhost cannot be reached \(no connection\)\. Is the network there\?$"):
        get("ml-1m", tmp_path, site="http://localhost:9", pause=0.01)
    assert left_over(tmp_path) == []


def test_a_file_that_is_not_there_is_not_asked_for_again(folder: Path, tmp_path: Path) -> None:
    with served(Site(zipped(folder), status=404)) as site, pytest.raises(NetworkError, match="it answers 404"):
        fetched(site, tmp_path)
    assert len(site.asked) == 1


def test_what_is_no_zip_is_said(tmp_path: Path) -> None:
    with served(Site(b"no zip at all")) as site, pytest.raises(DownloadError, match="not a zip file"):
        fetched(site, tmp_path)
    assert SET not in left_over(tmp_path)


def test_a_zip_never_writes_outside_its_folder(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{SET}/../../outside.csv", "x")
        archive.writestr(f"{SET}/ratings.csv", "x")
    with served(Site(packed.getvalue())) as site:
        found = fetched(site, tmp_path / "in")
    assert [path.name for path in found.iterdir()] == ["ratings.csv"]
    assert not list(tmp_path.rglob("outside.csv"))


def test_a_zip_that_unpacks_to_far_too_much_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{SET}/ratings.csv", bytes(50_000_000))
    with served(Site(packed.getvalue())) as site, pytest.raises(DownloadError, match="far more"):
        fetched(site, tmp_path)


def test_unknown_sets_and_folders_that_are_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"^There is no set ml-2m; GroupLens publishes ml-100k, ml-1m,"):
        get("ml-2m", tmp_path)
    (tmp_path / SET).mkdir()
    with pytest.raises(DownloadError, match="is already there"):
        get(SET, tmp_path)


def test_the_command_says_where_the_set_is_and_how_it_went_wrong(folder: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.add_typer(data, name="data")
    with served(Site(zipped(folder))) as site:
        command = ["data", "get", SET, "--to", str(tmp_path), "--site", site.url]
        made = CliRunner().invoke(app, command)
        again = CliRunner().invoke(app, command)
    assert (made.exit_code, made.stdout) == (0, f"{tmp_path / SET}\n")
    assert (again.exit_code, again.stdout, again.stderr.count("\n")) == (65, "", 1)


def test_the_sets_whose_checksum_is_known_are_verified_against_it(folder: Path, tmp_path: Path) -> None:
    assert download.MD5["ml-32m"] is not None
    with served(Site(zipped(folder))) as site, pytest.raises(DownloadError, match=f"not {download.MD5['ml-32m']}"):
        get("ml-32m", tmp_path, site=site.url)
