"""Services of schedules. Each checks access, refuses what is not possible, writes in one
transaction."""

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
