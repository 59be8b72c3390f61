"""SageMaker's part, played on this machine: the `/opt/ml` tree, a training job, an endpoint."""
