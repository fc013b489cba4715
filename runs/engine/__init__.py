"""The engine: plan, claim, execute, finish, advance and recover runs, as functions over rows.

Nothing here imports Celery or HTTP. Functions return how many steps became ready per queue; their
caller wakes the workers.
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
