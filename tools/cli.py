# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the tools share: errors, exit statuses, the reading of arguments."""
import argparse
import functools
import signal
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

EXIT_FAILED, EXIT_USAGE, EXIT_MISSING = 1, 2, 3


class UsageError(Exception):
    """Wrong arguments."""
    status = EXIT_USAGE


class MissingError(Exception):
    """This machine, or the build, lacks something."""
    status = EXIT_MISSING


class Parser(argparse.ArgumentParser):
    """One line about a wrong argument, not a page."""

    def error(self, message):
        raise UsageError(f"{message} (--help tells more)")


@functools.cache
def linux(*what):
    """What tools/release.sh says: the folder of the Linux that KERNEL and TREE name; release() its release."""
    run = subprocess.run([TOP / "tools/release.sh", *(what or ["folder"])], capture_output=True, text=True)
    if run.returncode:
        raise UsageError(run.stderr.strip().removeprefix("release: "))
    return run.stdout.strip()


def _terminated(*_):
    """An exception ends the QEMU that the tool has started; the signal alone would leave it running.

    A second signal must not interrupt that end: timeout(1) sends two, and a lock of subprocess stayed taken.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def guard(entry, name):
    """Run a tool's main(); errors that are the user's to mend are one line."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        sys.exit(entry(sys.argv[1:]))
    except (UsageError, MissingError) as err:
        print(f"{name}: {err}", file=sys.stderr)
        sys.exit(err.status)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FAILED)
