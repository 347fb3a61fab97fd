"""Training of Stance models: configuration, corpora, batches, losses, and the loop."""
