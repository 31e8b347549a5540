"""Of the control characters, text holds tabs and line breaks alone: others hide from who reads it, and break what prints it."""

import re

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
REFUSAL = "Leave out control characters, of which only tabs and line breaks are taken."
