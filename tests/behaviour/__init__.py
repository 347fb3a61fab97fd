"""What a model gets right, phenomenon by phenomenon: cases written by hand, in the manner of CheckList."""
