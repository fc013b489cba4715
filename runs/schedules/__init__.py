"""The verbs of a schedule. Each checks access, refuses what cannot be, writes in one transaction."""

from runs.schedules.edit import (
    Watch,
    create_schedule,
    delete_schedule,
    disable_schedule,
    enable_schedule,
    update_schedule,
)

__all__ = [
    "Watch",
    "create_schedule",
    "delete_schedule",
    "disable_schedule",
    "enable_schedule",
    "update_schedule",
]
