"""``python -m pyerlnode`` is the ``pyerlnode`` command."""

from __future__ import annotations

import sys

from pyerlnode.cli import main

if __name__ == "__main__":
    sys.exit(main())
