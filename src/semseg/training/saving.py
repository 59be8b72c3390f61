"""What a run leaves on the disk: the files of `/opt/ml/model`, and checkpoints."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from semseg.networks import artifact
from semseg.sagemaker import narration
from semseg.sagemaker.files import replacement
from semseg.training import checkpoint_file
from semseg.training.epoch import Learner
from semseg.training.hosts.team import Team
from semseg.training.run import Run

T = TypeVar("T")


class Saver:
    """Saves a run's models and checkpoints.

    Args:
        run: the run, on the first of its hosts; the others have an `Onlooker`.
        network: the network that is trained.
        learner: its trainer.
    """

    def __init__(self, run: Run, network: Any, learner: Learner) -> None:
        self._folder = run.job.tree.model
        self._configuration = run.job.configuration.final
        self._network = network
        self._learner = learner
        self._state = run.state
        self._checkpoints = run.checkpoints
        self._team = run.team
        # An earlier job's files stay as they are, and belong together, until this one has better.
        self._folder_is_ours = run.state.position.updates > 0

    @contextmanager
    def epoch(self, improved: bool) -> Iterator[None]:
        """Saves what an epoch has led to.

        All is written before the block begins, and counts when it ends. What the block says of the
        epoch is so said just once, even if the run is killed while it saves and goes on elsewhere.

        Args:
            improved: whether the network is the best so far.
        """
        with ExitStack() as counts:
            if improved:
                counts.enter_context(self._model_files(artifact.BEST))
            try:
                counts.enter_context(self._checkpoint(best_is_last=improved))
            except Exception:
                counts.close()  # no room for a checkpoint does not make the model a worse one
                raise
            yield

    @contextmanager
    def best(self) -> Iterator[None]:
        """Saves the network as the best so far; it counts, as in `epoch`, when the block ends."""
        with self._model_files(artifact.BEST):
            yield

    def last(self) -> None:
        """Saves the network as that of the last epoch, and as the best if none was validated."""
        names = [artifact.LAST] if self._state.progress.has_best else [artifact.BEST, artifact.LAST]
        for name in names:
            narration.serializing(self._folder / name)
        with self._model_files(*names):
            pass

    def stopped(self) -> None:
        """Saves all there is, if there is anything: where the run stands, and the models."""
        if self._state.position.updates:
            self.checkpoint()
            self.last()

    def checkpoint(self) -> None:
        """Saves where the run stands."""
        with self._checkpoint():
            pass

    def between(self, items: Iterable[T]) -> Iterator[T]:
        """The items; before each a checkpoint, if one is due."""
        for item in items:
            if self._team.broadcast(self._checkpoints.due()):
                self._learner.average_statistics()
                self.checkpoint()
            yield item

    def checkpoint_if_due(self) -> None:
        """Saves where the run stands if that was done long ago."""
        if self._checkpoints.due():
            self.checkpoint()

    @contextmanager
    def _model_files(self, *names: str) -> Iterator[None]:
        with ExitStack() as counts:
            if not self._folder_is_ours:
                configuration = self._folder / artifact.CONFIGURATION
                counts.enter_context(replacement(configuration, self._write_configuration))
            for name in names:
                counts.enter_context(replacement(self._folder / name, self._write_network))
            yield
        if not self._folder_is_ours and artifact.LAST not in names:
            (self._folder / artifact.LAST).unlink(missing_ok=True)
        self._folder_is_ours = True

    @contextmanager
    def _checkpoint(self, best_is_last: bool = False) -> Iterator[None]:
        if not self._checkpoints.wanted:
            yield
            return
        states = self._learner.optimizer_states()
        best = artifact.LAST if best_is_last else artifact.BEST
        content = checkpoint_file.Content(
            job=self._checkpoints.job,
            state=self._state,
            best=best if self._state.progress.has_best else None,
            optimizer={name: len(arrays) for name, arrays in states.items()},
        )
        write = partial(
            checkpoint_file.write,
            content=content,
            configuration=self._configuration,
            write_last=self._write_network,
            best=self._folder / artifact.BEST if content.best == artifact.BEST else None,
            states=states,
        )
        with self._checkpoints.saving(write):
            yield

    def _write_configuration(self, path: Path) -> None:
        path.write_text(artifact.configuration_text(self._configuration))

    def _write_network(self, path: Path) -> None:
        artifact.save_parameters(path, self._network)


class Onlooker:
    """Stands in for a `Saver` where another host saves.

    Args:
        learner: this host's.
        team: the hosts that train together.
    """

    def __init__(self, learner: Learner, team: Team) -> None:
        self._learner = learner
        self._team = team

    @contextmanager
    def epoch(self, improved: bool) -> Iterator[None]:
        """Nothing but the block."""
        yield

    @contextmanager
    def best(self) -> Iterator[None]:
        """Nothing but the block."""
        yield

    def between(self, items: Iterable[T]) -> Iterator[T]:
        """The items; before each this host's part in the checkpoint, if one is due."""
        for item in items:
            if self._team.broadcast(False):
                self._learner.average_statistics()
            yield item

    def last(self) -> None:
        """Nothing."""

    def stopped(self) -> None:
        """Nothing."""

    def checkpoint_if_due(self) -> None:
        """Nothing."""
