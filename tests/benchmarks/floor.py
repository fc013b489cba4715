"""The floor of a trigger: a bare Django view that inserts one row, on the same server and settings."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="floor",
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes"],
    STUDIO_REDIS_URL="memory://",  # `studio` makes its Celery application when it is imported
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["FLOOR_DATABASE"],
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    },
)
django.setup()

from django.contrib.contenttypes.models import ContentType  # noqa: E402 - after setup
from django.core.management import call_command  # noqa: E402

from studio.front.server import Server  # noqa: E402
from studio.front.threads import Threads  # noqa: E402


def insert(request):
    row = ContentType.objects.create(app_label="floor", model=os.urandom(16).hex())
    return JsonResponse({"Id": row.pk})


urlpatterns = [path("insert", insert)]
application = get_wsgi_application()
if not os.path.exists(os.environ["FLOOR_DATABASE"]):  # noqa: PTH110
    call_command("migrate", verbosity=0)


async def serve(port: int):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(application, gate=None, threads=Threads(24), folder=Path(folder))
        await server.start("127.0.0.1", port)
        await server.serve()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
