"""Trained networks in the formats of other programs: MXNet's symbol files and ONNX."""
