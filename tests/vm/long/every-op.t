#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""every-op.t ENV BACKEND: the contract suite with each op of a backend left to native, or
refused.  Many boots: run by `make select`, not by `make check`."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from leave import every_op  # noqa: E402
from vmtest import Tap  # noqa: E402

tap = Tap()
every_op(tap, sys.argv[1], sys.argv[2])
tap.done()
