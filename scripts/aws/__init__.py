"""The image on AWS: push, train, tune, deploy, invoke, transform (`python -m scripts.aws`)."""
