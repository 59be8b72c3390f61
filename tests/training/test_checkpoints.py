from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semseg.sagemaker.errors import CustomerError, PlatformError
from semseg.training import checkpoint_file
from semseg.training.checkpoint_file import Content, DamagedError
from semseg.training.checkpoints import Checkpoint, Checkpoints
from semseg.training.early_stopping import Progress
from semseg.training.state import OptimizerStates, Position, State

STATE = State(
    seed=7,
    position=Position(epoch=3, iterations=2, loss_sum=0.1 + 0.2, updates=11),
    progress=Progress(best=1 / 3, epochs_without_improvement=1),
)
JOB = {"learning_rate": "0.1", "epochs": "10", "training images": "6"}


def states() -> OptimizerStates:
    rng = np.random.default_rng(0)
    return {
        "head.weight": [rng.normal(size=(3, 2)).astype(np.float32) for _ in range(2)],
        "head.bias": [np.float32([1, 2, 3]), np.zeros(0, np.float32)],
    }


def write(path: Path, state: State = STATE, best: Path | None = None, **content: object) -> None:
    arrays = states()
    counts = {name: len(of_one) for name, of_one in arrays.items()}
    member = None if best is None else "model_best.params"
    content = {"job": JOB, "best": member, "optimizer": counts, **content}
    checkpoint_file.write(
        path,
        Content(state=state, **content),
        {"algorithm": "fcn"},
        lambda path: path.write_bytes(b"last"),
        best,
        arrays,
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def checkpoints(folder: Path | None, seconds: float = 600, **job: str) -> Checkpoints:
    return Checkpoints(folder, {**JOB, **job}, seconds)


def save(to: Checkpoints, **options: object) -> None:
    with to.saving(lambda path: write(path, **options)):
        pass


def test_everything_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    best = tmp_path / "best"
    best.write_bytes(b"best")
    write(tmp_path / "c.zip", best=best)

    checkpoint = Checkpoint(tmp_path / "c.zip")

    assert checkpoint.state == STATE
    for name, arrays in checkpoint.optimizer_states().items():
        for array, expected in zip(arrays, states()[name], strict=True):
            np.testing.assert_array_equal(array, expected)
            assert array.dtype == np.float32
    checkpoint.put_back_models(tmp_path / "model")
    assert files_of(tmp_path / "model") == {
        "hyperparams.json": b'{\n  "algorithm": "fcn"\n}\n',
        "model_algo-1": b"last",
        "model_best.params": b"best",
    }


@pytest.mark.parametrize("best", ["model_algo-1", None])
def test_the_last_model_is_the_best_where_it_is_or_where_there_is_none(
    tmp_path: Path, best: str | None
) -> None:
    write(tmp_path / "c.zip")
    checkpoint_file.write(
        tmp_path / "c.zip",
        Content(job=JOB, state=STATE, best=best, optimizer={}),
        {},
        lambda path: path.write_bytes(b"last"),
        None,
        {},
    )
    Checkpoint(tmp_path / "c.zip").put_back_models(tmp_path / "model")
    assert files_of(tmp_path / "model")["model_best.params"] == b"last"


def test_nothing_but_the_checkpoint_is_left_in_the_folder(tmp_path: Path) -> None:
    save(checkpoints(tmp_path / "new"))
    assert list(files_of(tmp_path / "new")) == ["checkpoint-000001.zip"]


def test_the_last_three_are_kept_and_the_newest_is_taken(tmp_path: Path) -> None:
    run = checkpoints(tmp_path)
    (tmp_path / "notes.txt").write_text("not ours")
    for epoch in range(5):
        save(run, state=replace(STATE, position=Position(epoch=epoch)))

    assert sorted(files_of(tmp_path)) == [
        "checkpoint-000003.zip",
        "checkpoint-000004.zip",
        "checkpoint-000005.zip",
        "notes.txt",
    ]
    again = checkpoints(tmp_path)
    newest = again.newest()
    assert newest is not None
    assert newest.state.position.epoch == 4
    save(again)
    assert sorted(files_of(tmp_path))[2] == "checkpoint-000006.zip"


def test_one_that_is_not_yet_committed_is_not_there(tmp_path: Path) -> None:
    run = checkpoints(tmp_path)
    save(run)
    with ExitStack() as pending:
        pending.enter_context(run.saving(write))
        newest = checkpoints(tmp_path).newest()
        assert newest is not None
        assert newest.path.name == "checkpoint-000001.zip"
    assert "checkpoint-000002.zip" in files_of(tmp_path)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def empty(data: bytes) -> bytes:
    return b""


def other(data: bytes) -> bytes:
    return b"<html>404 not found</html>"


@pytest.mark.parametrize("damage", [cut, flipped, empty, other])
def test_the_one_before_a_damaged_one_is_taken_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    run = checkpoints(tmp_path)
    save(run)
    save(run)
    second = tmp_path / "checkpoint-000002.zip"
    second.write_bytes(damage(second.read_bytes()))

    again = checkpoints(tmp_path)
    newest = again.newest()

    assert newest is not None
    assert newest.path.name == "checkpoint-000001.zip"
    [warning] = caplog.records
    assert warning.levelname == "WARNING"
    assert warning.getMessage().startswith(f"The checkpoint {second} is damaged")
    save(again)
    assert Checkpoint(second).state == STATE


def test_where_none_is_sound_training_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "checkpoint-000004.zip").write_bytes(b"half of")
    assert checkpoints(tmp_path).newest() is None
    assert caplog.messages[-1] == f"No checkpoint in {tmp_path} is sound: training begins anew."


def test_no_bit_changes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "c.zip"
    write(path)
    data = path.read_bytes()
    (tmp_path / "models").mkdir()
    Checkpoint(path).put_back_models(tmp_path / "models")
    expected = files_of(tmp_path / "models")
    for place in range(0, len(data), 5):
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :])
        try:
            checkpoint = Checkpoint(path)
        except DamagedError:
            continue
        # The bit was in what says nothing: a date, an attribute.
        assert checkpoint.state == STATE
        checkpoint.put_back_models(tmp_path / "models")
        assert files_of(tmp_path / "models") == expected
        for name, arrays in checkpoint.optimizer_states().items():
            for array, original in zip(arrays, states()[name], strict=True):
                np.testing.assert_array_equal(array, original)


def test_a_cut_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "c.zip"
    write(path)
    data = path.read_bytes()
    for length in range(0, len(data), 5):
        path.write_bytes(data[:length])
        with pytest.raises(DamagedError):
            Checkpoint(path)


def test_another_jobs_is_refused_with_all_differences(tmp_path: Path) -> None:
    save(checkpoints(tmp_path))
    with pytest.raises(CustomerError) as raised:
        checkpoints(tmp_path, learning_rate="0.2", epochs="20").newest()
    first, *lines = str(raised.value).splitlines()
    assert str(tmp_path / "checkpoint-000001.zip") in first
    assert "differs in learning_rate, epochs." in first
    assert lines == [
        "learning_rate: 0.1 in the checkpoint, 0.2 now",
        "epochs: 10 in the checkpoint, 20 now",
    ]


def test_what_is_known_of_the_data_later_has_to_fit_too(tmp_path: Path) -> None:
    save(checkpoints(tmp_path))
    run = Checkpoints(tmp_path, {"learning_rate": "0.1"}, 600)
    run.newest()
    run.add_facts({"training images": "6"})
    with pytest.raises(CustomerError, match="training images: 6 in the checkpoint, 7 now"):
        run.add_facts({"training images": "7"})


def test_another_versions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-000001.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Content, "model_dump_json", lambda *_, **__: '{"format": 2}')
        write(path)
    with pytest.raises(CustomerError, match="has the format 2, which this version"):
        checkpoints(tmp_path).newest()


def test_a_folder_that_cannot_be_written_to_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError, match="Nothing can be written to"):
        checkpoints(tmp_path / "file").newest()


def test_none_are_wanted(tmp_path: Path) -> None:
    run = checkpoints(None, seconds=0)
    assert run.newest() is None
    assert not run.due()
    save(run)


def test_the_next_is_due_after_a_while(tmp_path: Path) -> None:
    assert checkpoints(tmp_path, seconds=0).due()
    assert not checkpoints(tmp_path, seconds=600).due()
