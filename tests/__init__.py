"""The tests of Stance; a package so that ``python -m tests.behaviour`` runs from a clone."""
