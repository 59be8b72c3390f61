"""SageMaker's built-in Semantic Segmentation algorithm, open: `train` and `serve`."""

__version__ = "0.1.0"
