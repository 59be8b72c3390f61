"""When to stop before the last epoch, and which epoch was the best."""

from dataclasses import dataclass

from semseg.sagemaker.hyperparameters import Hyperparameters


@dataclass
class Progress:
    """Best validation mIOU so far, and how many epochs have passed without enough improvement.

    AWS: an epoch has improved if the relative improvement of the mIOU over the best so far is at
    least `early_stopping_tolerance`; training stops after `early_stopping_patience` epochs without,
    but not before `early_stopping_min_epochs`. All this only with `early_stopping=True`.
    """

    best: float = -1.0
    epochs_without_improvement: int = 0

    @property
    def has_best(self) -> bool:
        """Whether any epoch has been validated."""
        return self.best >= 0

    def record(self, miou: float, job: Hyperparameters) -> bool:
        """Takes an epoch's mIOU; tells whether it is the best so far."""
        improvement = miou - self.best
        enough = max(self.best, 0.0) * job.early_stopping_tolerance
        improved = improvement > 0
        if improved and improvement >= enough:
            self.epochs_without_improvement = 0
        else:
            self.epochs_without_improvement += 1
        self.best = max(self.best, miou)
        return improved

    def should_stop(self, epochs_done: int, job: Hyperparameters) -> bool:
        """Whether to stop after this many epochs."""
        return (
            job.early_stopping
            and epochs_done >= job.early_stopping_min_epochs
            and self.epochs_without_improvement >= job.early_stopping_patience
        )
