"""The suite: about any library of the standard, and (`internals`) about this one."""
