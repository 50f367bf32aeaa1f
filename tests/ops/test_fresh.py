from pathlib import Path

import pytest

from ingest.errors import InputError
from ops.fresh import fresh_home


def test_a_folder_that_is_no_demos_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(InputError, match="not a demo's"):
        fresh_home(tmp_path, keep=False)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_former_demo_is_removed_and_begun_anew(tmp_path: Path) -> None:
    home = fresh_home(tmp_path / "demo", keep=False)
    (home / "landing" / "deep").mkdir(parents=True)
    (home / "landing" / "deep" / "file").touch()
    (home / "link").symlink_to(tmp_path)
    fresh_home(home, keep=False)
    assert [path.name for path in home.iterdir()] == ["DEMO.txt"]
    assert tmp_path.is_dir()


def test_a_former_demo_stays_when_it_is_to_be_kept(tmp_path: Path) -> None:
    home = fresh_home(tmp_path / "demo", keep=True)
    with pytest.raises(InputError, match="former demo"):
        fresh_home(home, keep=True)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").touch()
    with pytest.raises(InputError, match="is a file"):
        fresh_home(tmp_path / "demo", keep=False)
