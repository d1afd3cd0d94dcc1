"""MovieLens from GroupLens' site onto this machine: whole and verified, or not at all.

Knows the published sets, HTTP, checksums and zip files. Knows nothing of what is in the files (`training.files`).

What was received stays beside the place as `.NAME.zip.part`, and the next attempt, or the same command tomorrow, goes
on from there. The folder appears under its name by one rename, after the checksum is right.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath

import httpx

from training.errors import TrainingError

SITE = "https://files.grouplens.org/datasets/movielens"
UNAVAILABLE = 69
"""The exit code where a site cannot be reached (EX_UNAVAILABLE)."""

MD5: Mapping[str, str | None] = {
    "ml-100k": "0e33842e24a9c977be4e0107933c0723",
    "ml-1m": "c4d9eecfca2ab87c1945afe126590906",
    "ml-10m": "ce571fd55effeba0271552578f2648bd",
    "ml-20m": "cd245b17a1ae2cc31bb14903e1204af3",
    "ml-25m": "6b51fb2759a8657d3bfcbfc42b592ada",
    "ml-32m": "d472be332d4daa821edc399621853b57",
    "ml-latest": None,
    "ml-latest-small": None,
}
"""The published sets and the checksums that GroupLens publishes of their zips (MD5 is what it publishes). None: the set
changes from time to time, and its checksum is asked for at the site."""

_ATTEMPTS = 4
"""Attempts in a row that may bring nothing before it is given up; one that brings something starts the count anew."""
_PATIENCE = httpx.Timeout(20.0)
_CHUNK = 2**18
_LONGEST_CHECKSUM = 1024
_LARGEST_FOLD = 50
"""A zip of text grows by less than this when it is unpacked."""

Report = Callable[[int, int | None], None]
"""Told how many bytes are there and how many there will be (None: the site does not say)."""


class DownloadError(TrainingError):
    """A set that could not be fetched. `str(error)` is one sentence that says what to do."""


class NetworkError(DownloadError):
    """The site could not be reached, or not for long enough; what was received is kept."""

    exit_code = UNAVAILABLE


@dataclass(frozen=True, slots=True)
class _Part:
    """The received beginning of a zip."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


def get(name: str, into: Path, *, site: str = SITE, report: Report = lambda _a, _b: None, pause: float = 1.0) -> Path:
    """Fetch the set `name` into a folder of its name in `into`; the folder.

    `pause` is the wait in seconds before the second attempt, doubled before each further one. Raises DownloadError for
    a name that is not published, a folder that is there already, a wrong checksum or a zip that is none; NetworkError
    when the site is away; OSError when the disk does not take it.
    """
    if name not in MD5:
        raise DownloadError(f"There is no set {name}; GroupLens publishes {', '.join(MD5)}.")
    target = into / name
    if target.exists():
        raise DownloadError(f"{target} is already there; remove it to fetch it anew.")
    into.mkdir(parents=True, exist_ok=True)
    part = _Part(into / f".{name}.zip.part")
    url = f"{site.rstrip('/')}/{name}.zip"
    with httpx.Client(follow_redirects=True, timeout=_PATIENCE, headers={"Accept-Encoding": "identity"}) as client:
        try:
            expected = MD5[name] or _published_checksum(client, f"{url}.md5")
            _fetch_all(client, url, part, report, pause)
        except httpx.HTTPError as error:
            kept = f" {part.size:,} bytes are kept; the same command goes on from there." if part.size else ""
            raise NetworkError(
                f"{httpx.URL(url).host} cannot be reached ({_reason(error)}). Is the network there?{kept}"
            ) from error
    if (found := _md5(part.path)) != expected:
        part.path.unlink()
        raise DownloadError(
            f"What {httpx.URL(url).host} sent as {name}.zip has the checksum {found} and not {expected}, so it was "
            "thrown away; try again, and if that does not help, the file there is not the published one."
        )
    _unpack(part.path, target)
    part.path.unlink()
    return target


def _fetch_all(client: httpx.Client, url: str, part: _Part, report: Report, pause: float) -> None:
    """Ask for what is missing until all is there. Raises the last httpx.HTTPError when nothing comes any more."""
    fruitless = 0
    while True:
        before = part.size
        try:
            if _fetch(client, url, part, report):
                return
            error: httpx.HTTPError | None = None
        except httpx.HTTPError as raised:
            if isinstance(raised, httpx.HTTPStatusError) and raised.response.is_client_error:
                raise
            error = raised
        fruitless = 0 if part.size > before else fruitless + 1
        if fruitless >= _ATTEMPTS:
            raise error or httpx.ReadError("the connection breaks off again and again")
        time.sleep(pause * 2 ** max(0, fruitless - 1))


def _fetch(client: httpx.Client, url: str, part: _Part, report: Report) -> bool:
    """One request for what follows the part; whether all is there now. Raises httpx.HTTPError."""
    have = part.size
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if response.headers.get("Content-Range") == f"bytes */{have}":
                return True
            part.path.unlink()  # longer than what the site has: of another file
            return False
        response.raise_for_status()
        goes_on = response.status_code == HTTPStatus.PARTIAL_CONTENT
        if goes_on and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.path.unlink()
            return False
        have = have if goes_on else 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        with part.path.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_raw():  # as it comes: what waits for a full chunk is lost with the connection
                file.write(chunk)
                have += len(chunk)
                report(have, total)
        return total is None or have >= total


def _published_checksum(client: httpx.Client, url: str) -> str:
    """From a file like “MD5 (ml-latest.zip) = …” or “… ml-latest.zip”."""
    response = client.get(url)
    response.raise_for_status()
    found = re.search(r"\b[0-9a-f]{32}\b", response.text[:_LONGEST_CHECKSUM].lower())
    if found is None:
        raise DownloadError(f"{url} holds no checksum, so the set could not be verified.")
    return found.group()


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _unpack(archive: Path, target: Path) -> None:
    """The files of the zip's only folder as `target`, by one rename."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-", ignore_cleanup_errors=True) as made:
        fresh = Path(made) / "set"
        fresh.mkdir()
        try:
            with zipfile.ZipFile(archive) as packed:
                for member in packed.infolist():
                    inside = PurePosixPath(member.filename).parts[1:]
                    if member.is_dir() or not inside or ".." in inside or "__MACOSX" in member.filename:
                        continue
                    if member.file_size > _LARGEST_FOLD * max(1, member.compress_size) + _CHUNK:
                        raise DownloadError(f"{archive.name} unpacks to far more than a set of ratings would.")
                    place = fresh.joinpath(*inside)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with packed.open(member) as source, place.open("wb") as file:
                        shutil.copyfileobj(source, file)
        except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
            raise DownloadError(f"{archive.name} is not a zip file that can be read.") from error
        fresh.rename(target)


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answers {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return "it does not answer"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return "the connection breaks off"
