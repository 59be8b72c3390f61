from semseg.training.early_stopping import Progress


def epochs_trained(job, *mious: float, **early_stopping: object) -> int:
    progress, options = Progress(), job(early_stopping=True, **early_stopping)
    for done, miou in enumerate(mious, start=1):
        progress.record(miou, options)
        if progress.should_stop(done, options):
            return done
    return len(mious)


def test_only_improvement_over_the_best_is_the_best(job) -> None:
    progress = Progress()
    assert not progress.has_best
    assert [progress.record(miou, job()) for miou in (0.0, 0.3, 0.3, 0.2, 0.31)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert progress.has_best
    assert progress.best == 0.31


def test_stops_after_patience_epochs_without_improvement(job) -> None:
    options = {"early_stopping_min_epochs": 1, "early_stopping_patience": 2}
    assert epochs_trained(job, 0.3, 0.2, 0.2, 0.2, **options) == 3
    assert epochs_trained(job, 0.3, 0.2, 0.4, 0.2, 0.2, 0.2, **options) == 5
    assert epochs_trained(job, 0.1, 0.2, 0.3, 0.4, **options) == 4


def test_not_before_min_epochs(job) -> None:
    options = {"early_stopping_min_epochs": 4, "early_stopping_patience": 1}
    assert epochs_trained(job, 0.3, 0.2, 0.1, 0.1, 0.1, **options) == 4


def test_an_improvement_below_the_tolerance_counts_as_none(job) -> None:
    options = {
        "early_stopping_min_epochs": 1,
        "early_stopping_patience": 1,
        "early_stopping_tolerance": 0.1,
    }
    assert epochs_trained(job, 0.5, 0.54, 0.9, **options) == 2
    assert epochs_trained(job, 0.5, 0.56, 0.57, **options) == 3


def test_an_mious_that_stands_still_is_no_improvement_even_without_tolerance(job) -> None:
    options = {"early_stopping_min_epochs": 1, "early_stopping_patience": 2}
    assert epochs_trained(job, 0.5, 0.5, 0.5, 0.5, **options) == 3


def test_never_stops_unless_asked_to(job) -> None:
    progress = Progress()
    options = job(early_stopping_min_epochs=1, early_stopping_patience=1)
    for _ in range(9):
        progress.record(0.1, options)
    assert not progress.should_stop(9, options)
