"""``python -m controller`` is the same as ``mainspring``."""

import sys

from controller.cli.main import main

sys.exit(main())
