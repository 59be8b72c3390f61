import pytest
from gunicorn.config import Config

from semseg.serving import gunicorn_config
from semseg.serving.http_worker import HttpWorker


def test_gunicorn_knows_every_setting():
    config = Config()
    for name, value in vars(gunicorn_config).items():
        if name in config.settings:
            config.set(name, value)

    assert issubclass(config.worker_class, HttpWorker)
    assert config.worker_class.most_body == 6 * 1024 * 1024
    assert not config.preload_app
    assert config.graceful_timeout < 30
    assert config.accesslog is None


@pytest.mark.parametrize("name", ["wsgi_app", "bind", "threads", "worker_exit", "child_exit"])
def test_no_setting_is_misspelled(name):
    assert name in Config().settings
    assert hasattr(gunicorn_config, name)
