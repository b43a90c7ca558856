"""tools/cluster: what up and down refuse, without a cluster."""

from pathlib import Path

import pytest
from binaries.failure import Failed
from cluster import start
from cluster.settings import possible, settings
from cluster.start import exclusively
from cluster.stop import down


def test_down_without_a_cluster_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "theirs").touch()
    assert not down(settings({"KN": str(tmp_path / "state"), "XDG_CACHE_HOME": str(tmp_path)}))
    assert (tmp_path / "state" / "theirs").exists()


def test_up_refuses_a_folder_that_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_PROGRAMS", ())
    (tmp_path / "theirs").touch()
    with pytest.raises(Failed, match="is not empty and not ours"):
        start.check(settings({"KN": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}, binaries=tmp_path))


def test_up_names_the_binaries_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"kube-apiserver.*run make tools first"):
        start.check(settings({"KN": str(tmp_path / "state")}, binaries=tmp_path))


def test_up_refuses_what_is_up(tmp_path: Path) -> None:
    where = settings({"KN": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}, binaries=tmp_path)
    where.marker.touch()
    with pytest.raises(Failed, match="already up, or not cleaned up"):
        start.check(where)


def test_one_at_a_time(tmp_path: Path) -> None:
    where = settings({"KN": str(tmp_path / "state"), "XDG_CACHE_HOME": str(tmp_path)})
    with exclusively(where), pytest.raises(Failed, match="another up or down"), exclusively(where):
        pass


@pytest.mark.parametrize(("system", "user", "says"), [("darwin", 0, "needs Linux"), ("linux", 1000, "needs root")])
def test_it_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, system: str, user: int, says: str) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("os.geteuid", lambda: user)
    with pytest.raises(Failed, match=rf"{says}.*CLUSTER=current"):
        possible()
