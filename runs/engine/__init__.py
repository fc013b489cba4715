"""Runs played out over rows: plan, claim, execute, finish, advance, recover.

Nothing here knows Celery or HTTP. What became ready is returned, per queue, for the caller to ring.
"""

from runs.engine.advance import advance
from runs.engine.cancel import cancel_steps
from runs.engine.claim import Claim, claim
from runs.engine.destinations import Destination, destinations
from runs.engine.execute import execute
from runs.engine.finish import Finished, finish
from runs.engine.plan import plan
from runs.engine.recover import Listener, live_workers, recover
from runs.engine.storage_cleanup import clean_up
from runs.engine.time_out import expire
from runs.engine.unsubmitted import take_unsubmitted
from runs.engine.value_lengths import check_lengths

__all__ = [
    "Claim",
    "Destination",
    "Finished",
    "Listener",
    "advance",
    "cancel_steps",
    "check_lengths",
    "claim",
    "clean_up",
    "destinations",
    "execute",
    "expire",
    "finish",
    "live_workers",
    "plan",
    "recover",
    "take_unsubmitted",
]
