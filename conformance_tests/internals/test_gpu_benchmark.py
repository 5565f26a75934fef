"""The GPU's benchmark runs through on the CPU, and says plainly where there is no GPU."""

import sys

import pytest

from benchmarks import gpu


def test_a_rehearsal_fills_the_page(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{gpu.BEGIN}\nnothing\n{gpu.END}\nafter\n")
    how = ["--library", "numpy", "--tiny", "--rounds", "1", "--peers", "arraygrad"]
    gpu.main([*how, "--write", str(page)])
    told = capsys.readouterr().out
    assert "a rehearsal on the CPU" in told
    assert "missed" not in told  # no verdicts without a GPU
    before, table, after = page.read_text().partition(told.strip())
    assert (before, after) == (f"before\n{gpu.BEGIN}\n", f"\n{gpu.END}\nafter\n")
    assert "RNN, 100 steps" in table


def test_without_cupy_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(SystemExit, match=r"pip install 'arraygrad\[cupy\]'"):
        gpu.main([])
