"""The web application that granian serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from amili_dashboard.celery import app

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "amili_dashboard.settings")

application = get_wsgi_application()

settings.DATABASES["default"]["OPTIONS"]["pool"] = settings.DATABASE_POOL

# No page waits as long as a worker may for a queue that hangs: the database has noted by then what is to be done.
app.conf.broker_transport_options = {**app.conf.broker_transport_options, "socket_timeout": 0.5}
