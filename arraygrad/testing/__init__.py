"""Checks for your own functions, rules and autodiffs: derivatives held against differences."""

from arraygrad.testing.check import check_autodiff, check_gradients

__all__ = ["check_autodiff", "check_gradients"]
