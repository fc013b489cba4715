import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
application = get_wsgi_application()

from studio.core.chunked import WithLength  # noqa: E402 - Django has to be set up first

application = WithLength(application)
