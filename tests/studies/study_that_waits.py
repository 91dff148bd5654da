"""A program that runs a study which never ends, in the folder of the file that it is given."""

import sys
from pathlib import Path

from study_parts import wait

from gdmcourse.studies.study import Study, run_study

if __name__ == "__main__":
    log = Path(sys.argv[1])
    run_study(Study("waiting", [{"log": str(log)}], wait), to=log.parent, runs=log.parent / "runs")
