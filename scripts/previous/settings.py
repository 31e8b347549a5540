"""Of the code of now, on the server and the database that the code of before tests with."""

import json
import os

from config.settings.test import *

GIVEN = json.loads(os.environ["SERVER_OF_BEFORE"])
EMBEDDED_DATABASE = None  # who began the tests keeps it running
SECRET_KEY = GIVEN["secret_key"]
ADMIN_DATABASE = GIVEN["admin"]
DATABASES = GIVEN["databases"]
