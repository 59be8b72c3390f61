"""Loss, optimizer, schedule, the loop over epochs, evaluation and early stopping."""
