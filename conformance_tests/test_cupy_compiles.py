"""NVRTC, CuPy's compiler, takes every kernel that an optimizer has; it needs no GPU for that."""

import pytest

from arraygrad.fusion.cuda_source import TYPES, source_of
from conformance_tests.cupy_kernels import OPTIMIZERS, compile_for_gpu, program_of, require_nvrtc

require_nvrtc()
FUSED = [name for name in OPTIMIZERS if program_of(name, "f") is not None]


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("letter", TYPES)
@pytest.mark.parametrize("name", FUSED)
def test_kernels_compile(name, letter, architecture):
    assert compile_for_gpu(source_of(program_of(name, letter), letter), architecture)


@pytest.mark.parametrize("name", FUSED)
def test_kernels_compile_with_hyperparameters_on_the_device(name):
    program = program_of(name, "f")
    assert compile_for_gpu(source_of(program, "f", frozenset(program.hyperparameters)), "sm_80")
