"""Runs programs of omero-py, each in a process of its own, without the second
that it takes to load the libraries: this process loads them once and forks.

Each line of the standard input is a JSON object with the members args (the
first is "omero" or the path of a Python program), env and cwd; each line of the
answer one with stdout, stderr and code.
"""

import json
import logging
import os
import runpy
import sys
import tempfile
import traceback

import omero.cli
import omero.gateway  # noqa: F401

omero.cli.CLI().loadplugins()


def run(args):
    sys.argv[:] = args  # where it is, because omero.cli holds on to it
    if args[0] == "omero":
        # What the program omero does, but for refusing to be run by root, as
        # whom tests run in a container.
        logging.basicConfig(level=logging.WARN)
        sys.exit(omero.cli.argv())
    runpy.run_path(args[0], run_name="__main__")


def child(job, out, err):
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = open(0)  # which forgets what is read ahead
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    code = 0
    try:
        run(job["args"])
    except SystemExit as e:
        code = e.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def text(file):
    file.seek(0)
    return file.read().decode("utf-8", "replace")


for line in sys.stdin:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            child(json.loads(line), out.fileno(), err.fileno())
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"stdout": text(out), "stderr": text(err), "code": code}), flush=True)
