"""Studies: every part is measured once, whatever happens, and the record holds what was measured."""

import json
import pickle
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster

from gdmcourse.studies import CATALOG, find_study, record
from gdmcourse.studies.study import DONE, Study, forecast, part_name, run_study

sys.path.insert(0, str(Path(__file__).parent))  # a path that processes started by a study inherit
from study_parts import broken, square


def study(log: Path, **more: int) -> Study:
    parts = [{"x": x, "log": str(log), **more} for x in range(4)]
    return Study("squares", parts, square, files=("picture.png",))


def measured(log: Path) -> list[int]:
    return sorted(int(line) for line in log.read_text().split())


def test_a_study_writes_its_record_and_a_second_run_measures_nothing(tmp_path):
    log = tmp_path / "log"
    first = run_study(study(log), to=tmp_path, runs=tmp_path / "runs", workers=2)
    assert [row["square"] for row in first["rows"]] == [0, 1, 4, 9]
    assert {"machine", "date", "cpu_minutes"} <= first.keys()
    assert (tmp_path / "squares.json").is_file()
    assert (tmp_path / "picture.png").read_text() == "of 3"
    assert run_study(study(log), to=tmp_path, runs=tmp_path / "runs")["rows"] == first["rows"]
    assert measured(log) == [0, 1, 2, 3]


def test_a_killed_study_goes_on_with_nothing_lost_or_doubled(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(BrokenProcessPool):
        run_study(study(log, die_at=2), to=tmp_path, runs=tmp_path / "runs")
    assert not (tmp_path / "squares.json").exists()
    whole = run_study(study(log, die_at=2), to=tmp_path, runs=tmp_path / "runs")
    assert [row["square"] for row in whole["rows"]] == [0, 1, 4, 9]
    assert measured(log) == [0, 1, 2, 2, 3]  # the one that was being measured, again


def test_a_study_whose_process_is_killed_leaves_none_behind(tmp_path):
    log, program = tmp_path / "log", Path(__file__).with_name("study_that_waits.py")
    started = subprocess.Popen([sys.executable, program, log])
    while not log.exists() or not log.read_text():
        assert started.poll() is None
    worker = psutil.Process(int(log.read_text()))
    started.kill()
    started.wait()
    worker.wait(60)  # raises TimeoutExpired where it lives on


def test_other_settings_are_measured_anew_and_the_same_are_not(tmp_path):
    log = tmp_path / "log"
    names = {part_name(study(log), part) for part in study(log).parts}
    assert len(names) == 4
    assert names == {part_name(study(log), part) for part in study(log).parts}


def test_what_a_part_raises_stops_the_study(tmp_path):
    with pytest.raises(ValueError, match="no such number"):
        run_study(Study("broken", [{}], broken), to=tmp_path, runs=tmp_path)
    with pytest.raises(ValueError, match="at least one worker"):
        run_study(Study("broken", [{}], broken), to=tmp_path, runs=tmp_path, workers=0)


def test_a_forecast_goes_by_the_record_and_by_what_is_left(tmp_path):
    """Four parts took two hours; three are left, for two workers."""
    squares, runs = study(tmp_path / "log"), tmp_path / "runs"
    assert forecast(squares, to=tmp_path, runs=runs) == (
        "4 of 4 parts to measure; no record says how long they take"
    )
    done = runs / "squares" / part_name(squares, squares.parts[1])
    done.mkdir(parents=True)
    (done / DONE).touch()
    known = {"parts": 4, "cpu_minutes": 120, "machine": "an abacus"}
    (tmp_path / "squares.json").write_text(json.dumps(known))
    said = forecast(squares, to=tmp_path, runs=runs, workers=2)
    assert said == "3 of 4 parts to measure: 0.75 hours on 2 cores such as an abacus"
    one = Study("squares", squares.parts[1:2], square)
    assert forecast(one, to=tmp_path, runs=runs) == "0 of 1 parts to measure"


@pytest.fixture
def scheduler():
    """The address of a cluster of one worker, in this process."""
    small = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**small) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_measures_what_is_left(tmp_path, scheduler):
    log, where = tmp_path / "log", {"to": tmp_path, "runs": tmp_path / "runs", "cluster": scheduler}
    run_study(Study("squares", study(log).parts[:1], square), **where)
    whole = run_study(study(log), **where)
    assert [row["square"] for row in whole["rows"]] == [0, 1, 4, 9]
    assert measured(log) == [0, 1, 2, 3]


def test_what_a_part_raises_on_a_cluster_is_what_is_said(tmp_path, scheduler):
    with pytest.raises(ValueError, match="no such number"):
        run_study(Study("broken", [{}], broken), to=tmp_path, runs=tmp_path, cluster=scheduler)


def test_a_cluster_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="no scheduler of Dask answers at nowhere://1"):
        run_study(Study("broken", [{}], broken), to=tmp_path, runs=tmp_path, cluster="nowhere://1")


@pytest.mark.parametrize("name", CATALOG)
def test_every_study_has_its_record(name):
    found = find_study(name)
    assert found.name == name
    assert found.parts
    assert pickle.loads(pickle.dumps(found.measure)) is found.measure  # so another process finds it
    assert {"machine", "date"} <= record(name).keys()


def test_an_unknown_study_lists_the_known():
    with pytest.raises(
        ValueError, match="gan_stability, gans_vs_diffusion, gans_vs_diffusion_mnist, guidance_scale"
    ):
        find_study("guidance_scales")
