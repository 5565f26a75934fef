"""Tests of what is ours alone."""
