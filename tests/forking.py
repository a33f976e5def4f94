"""Runs command lines of Python one after the other, each in a process of its own.

The slow libraries are imported once, before the processes fork: half a second for each
command line in place of several. Nothing of ours is imported here.

Reads lines of JSON, ``[words, folder, file for the output]``; answers exit codes.
"""

import gc
import json
import os
import runpy
import sys

import h5py  # noqa: F401
import jsonargparse  # noqa: F401
import jsonschema  # noqa: F401
import pandas  # noqa: F401
import safetensors.torch  # noqa: F401
import scipy.integrate  # noqa: F401
import snakemake.cli  # noqa: F401
import torch

torch.set_num_threads(1)
gc.freeze()  # nothing of that is looked through when a process ends

for line in sys.stdin:
    words, folder, shown = json.loads(line)
    process = os.fork()
    if process == 0:
        os.chdir(folder)
        output = os.open(shown, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = words
            sys.path[0] = os.path.dirname(words[0])
            runpy.run_path(words[0], run_name="__main__")
        sys.exit()
    status = os.waitpid(process, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)
