"""Runs the setup.py of the current folder, compiling with all processors.

By itself setuptools compiles one file after the other.
"""

import os
import runpy
import sys
from concurrent.futures import ThreadPoolExecutor

import setuptools  # noqa: F401  it provides distutils
from distutils.ccompiler import CCompiler

one_after_the_other = CCompiler.compile


def compile_at_once(self, sources, *args, **options):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = pool.map(lambda source: one_after_the_other(self, [source], *args, **options), sources)
        return [name for names in made for name in names]


CCompiler.compile = compile_at_once
sys.argv[0] = "setup.py"
runpy.run_path("setup.py", run_name="__main__")
