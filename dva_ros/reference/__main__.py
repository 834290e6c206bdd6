"""``python -m dva_ros.reference`` writes docs/reference.md and config/sros2/policies.xml."""

from __future__ import annotations

import sys

from .pages import main

sys.exit(main())
