"""HTTP: from a request's bytes to a mask or probabilities."""
