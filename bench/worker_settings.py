"""A worker in a process of its own, on the database that is measured."""

import json
import os

from config.settings.local import *  # noqa: F403

for _alias, _database in json.loads(os.environ["BENCH_DATABASES"]).items():
    DATABASES[_alias] |= {name: _database[name] for name in ("NAME", "HOST", "PORT")}  # noqa: F405
