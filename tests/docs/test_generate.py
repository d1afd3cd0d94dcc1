"""The picture in the README is what a terminal shows today; the other generated parts are checked by `make lint`."""

from pathlib import Path

from docs.generate import PICTURE, picture


def test_the_picture_is_not_stale(tmp_path: Path) -> None:
    picture(tmp_path / "now.svg")
    assert (tmp_path / "now.svg").read_text(encoding="utf-8") == PICTURE.read_text(encoding="utf-8"), "run: make docs"
