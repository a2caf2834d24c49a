"""Any program as a job: what it prints, how it ends, and that nothing of it stays."""

import json
from pathlib import Path

import pytest

from tests.e2e.embedded_process import Start, processes_of, wait_for

COMMAND = """
connections:
  - connectionId: command
    command:
      sync: [python, job.py, "two words; $HOME"]
      directory: .
      environment: {GREETING: "good morning"}
"""


def test_a_command_counts_logs_and_succeeds(start: Start, tmp_path: Path) -> None:
    """Progress lines are added to the counts, all others are the log; arguments and environment arrive untouched by any shell."""
    (tmp_path / "job.py").write_text(
        "import os, sys\n"
        'print(\'{"rows": 5, "bytes": 40}\')\nprint(\'{"rows": 2}\')\nprint(\'{"rows": -1}\')\nprint(\'{"rows": 1, "x": 2}\')\n'
        "print(sys.argv[1], os.environ['GREETING'], os.getcwd(), flush=True)\nprint('to stderr', file=sys.stderr)\n"
    )
    platform = start(COMMAND)
    job = platform.sync("command")
    assert (job["status"], job["rows_synced"], job["bytes_synced"]) == ("succeeded", 7, 40)
    assert sorted(platform.lines(job["job_id"])) == sorted(
        ['{"rows": -1}', '{"rows": 1, "x": 2}', f"two words; $HOME good morning {tmp_path}", "to stderr"]
    )


@pytest.mark.parametrize(
    ("ending", "reason"), [("sys.exit(3)", "exit code 3"), ("os.kill(os.getpid(), 9)", "signal 9")]
)
def test_a_command_that_ends_badly_is_failed(start: Start, tmp_path: Path, ending: str, reason: str) -> None:
    """Any exit code but 0, and any signal, is a failed job whose log says which."""
    (tmp_path / "job.py").write_text(f"import os, sys\nprint('began', flush=True)\n{ending}\n")
    platform = start(COMMAND)
    job = platform.sync("command")
    assert job["status"] == "failed"
    assert platform.lines(job["job_id"])[0] == "began"
    assert reason in platform.lines(job["job_id"])[-1]


def test_a_program_that_is_not_there_is_a_failed_job(start: Start) -> None:
    """A command that cannot be started fails its job with a reason, and the platform goes on."""
    platform = start("connections: [{connectionId: none, command: {sync: [no-such-program]}}]")
    job = platform.sync("none")
    assert job["status"] == "failed"
    assert "no-such-program" in platform.lines(job["job_id"])[0]


def test_a_cancelled_command_is_cancelled_and_all_its_processes_end(start: Start, tmp_path: Path) -> None:
    """A cancel ends grandchildren too, even deaf ones, after the grace; exit code 0 does not make it a success."""
    (tmp_path / "job.py").write_text(
        "import signal, subprocess, sys\n"
        "subprocess.Popen(['sh', '-c', \"trap '' TERM; echo deaf; while true; do sleep 1; done\"])\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n"
    )
    platform = start(COMMAND)
    job_id = platform.trigger("command")
    wait_for(lambda: platform.lines(job_id), lambda lines: "deaf" in lines)
    assert len(processes_of(job_id)) >= 2
    platform.call("DELETE", f"/jobs/{job_id}")
    assert platform.ended(job_id)["status"] == "cancelled"
    assert processes_of(job_id) == []


PIPELINE = """
import json, sys
import dlt

@dlt.resource(primary_key="id")
def orders(at=dlt.sources.incremental("id", initial_value=0)):
    yield from ({"id": n, "name": f"order {n}"} for n in range(1, 21) if n > at.last_value)

pipeline = dlt.pipeline("orders", destination=dlt.destinations.filesystem(bucket_url=sys.argv[1]), dataset_name="shop")
pipeline.run(orders(), loader_file_format="jsonl")
rows = pipeline.last_trace.last_normalize_info.row_counts.get("orders", 0)
print(json.dumps({"rows": rows}))
"""


def test_a_real_dlt_pipeline_runs_as_a_command(start: Start, tmp_path: Path) -> None:
    """A dlt pipeline loads files, its rows are the job's rows, and its second run brings nothing twice."""
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    platform = start(f"""
        connections:
          - connectionId: dlt
            command:
              sync: [python, pipeline.py, "{(tmp_path / "lake").as_uri()}"]
              environment:
                RUNTIME__DLTHUB_TELEMETRY: "false"
                DLT_DATA_DIR: {tmp_path / "dlt"}
                HOME: {tmp_path / "home"}
                DATA_WRITER__DISABLE_COMPRESSION: "true"
        """)
    first = platform.sync("dlt")
    assert (first["status"], first["rows_synced"]) == ("succeeded", 20), platform.lines(first["job_id"])
    second = platform.sync("dlt")
    assert (second["status"], second["rows_synced"]) == ("succeeded", 0), platform.lines(second["job_id"])
    loaded = [
        json.loads(line)
        for file in (tmp_path / "lake/shop/orders").glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert sorted(row["id"] for row in loaded) == list(range(1, 21))
