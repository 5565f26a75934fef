"""Ratios of arraygrad's speed and memory to its peers', measured in one process: see README.md."""
