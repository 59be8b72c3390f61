from semseg.training.speed import Speedometer


def test_images_per_second_since_the_last_notice_and_overall() -> None:
    now = [10.0]
    speed = Speedometer(lambda: now[0])
    speed.count(8)
    now[0] = 12
    assert speed.since_last_notice() == 4
    speed.count(2)
    now[0] = 13
    assert speed.since_last_notice() == 2
    assert speed.overall() == 10 / 3
