"""One image in, class probabilities or a mask out."""
