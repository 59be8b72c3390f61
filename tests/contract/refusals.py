"""Jobs that are not sound, and what `train` has to leave behind when it refuses them."""

from pathlib import Path

from PIL import Image

from tests.contract.training_job import Outcome, TrainingJob


def assert_refused(job: TrainingJob, outcome: Outcome) -> str:
    """The customer's error, said in the log and in the failure file; returns the whole of it."""
    assert outcome.exit_code == 2, outcome.log + outcome.errors
    assert job.model_files() == set()
    assert "Traceback" not in outcome.log + outcome.errors
    assert outcome.failure is not None
    assert 0 < len(outcome.failure) <= 1024
    said = outcome.log.split("Customer Error: ")
    assert len(said) == 2, outcome.log
    message = said[1].rstrip("\n")
    assert message.startswith(outcome.failure.split("\n... (cut")[0])
    return message


def break_data(job: TrainingJob) -> None:
    (job.channel("train_annotation") / "0.png").unlink()
    (job.channel("train") / "1.jpg").unlink()
    Image.new("L", (50, 70)).save(job.channel("train_annotation") / "2.png")
    Image.new("L", (70, 50), 3).save(job.channel("train_annotation") / "3.png")
    Image.new("RGB", (70, 50)).save(job.channel("train_annotation") / "4.png")
    cut = job.channel("train") / "5.jpg"
    cut.write_bytes(cut.read_bytes()[:-300])
    (job.channel("validation") / "0.jpg").write_bytes(b"no image")


def run_without_network(job: TrainingJob, folder: Path, **variables: str) -> Outcome:
    """Runs a job that finds backbones in `folder` only: at the store's address nobody listens."""
    elsewhere = {
        "SEMSEG_BACKBONES": str(folder),
        "MXNET_HOME": str(folder.parent / "mxnet"),
        "MXNET_GLUON_REPO": "http://127.0.0.1:9/",
    }
    return job.run(**{**elsewhere, **variables})
