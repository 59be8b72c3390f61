"""SageMaker's side of the contract: the tree, the job, the log lines, the failure file, the Record.

Nothing here imports MXNet, so a wrong hyperparameter ends a job in a fraction of a second.
"""
