"""The Celery application, used only to wake workers over Redis. The database is the truth: no
results, late acknowledgement, one message at a time."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
# Celery would run Django's system checks at each start, which load every page.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

CONTROL_QUEUE = "control"
SEVEN_DAYS_SECONDS = 7 * 24 * 3600

app = Celery("studio", task_cls="celery.contrib.django.task:DjangoTask")
app.conf.update(
    broker_url=settings.STUDIO_REDIS_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A dead broker may cost a trigger 200 ms at most: `recover` rings again later.
    broker_transport_options={
        "visibility_timeout": SEVEN_DAYS_SECONDS,
        "socket_connect_timeout": 0.2,
        "socket_timeout": 5,
        "max_retries": 0,
    },
    task_publish_retry=False,
    task_ignore_result=True,
    task_acks_late=True,
    task_default_queue=CONTROL_QUEUE,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,  # a step outlives its message
    worker_enable_remote_control=False,  # canceling and inspection use the database
    timezone="UTC",
)
# Slot threads keep their database connections; otherwise Celery would open one per message.
app.conf["CELERY_DB_REUSE_MAX"] = 2**62
