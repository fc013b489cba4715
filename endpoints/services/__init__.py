"""Services of definitions: publish, version, disable, register. Each checks access, refuses what is
not possible, writes in one transaction and records an audit event."""

from endpoints.services.computes import create_compute, put_compute, remove_compute
from endpoints.services.datasets import (
    create_data_source,
    register_dataset,
    save_dataset,
    unregister_dataset,
    update_dataset,
    withdraw_datasets,
)
from endpoints.services.environments import register_environment
from endpoints.services.folders import publish_archive, publish_folder
from endpoints.services.modules import create_module
from endpoints.services.named_modules import (
    create_named_module,
    publish_module_version,
    update_module_version,
    update_named_module,
)
from endpoints.services.pipelines import create_graph, publish
from endpoints.services.snapshots import create_snapshot
from endpoints.services.status import (
    check_runnable,
    disable,
    enable,
    hold_runnable,
    why_disabled,
)
from endpoints.services.versions import (
    add_version,
    configure,
    create_endpoint,
    set_default,
    update_endpoint,
)

__all__ = [
    "add_version",
    "check_runnable",
    "configure",
    "create_compute",
    "create_data_source",
    "create_endpoint",
    "create_graph",
    "create_module",
    "create_named_module",
    "create_snapshot",
    "disable",
    "enable",
    "hold_runnable",
    "publish",
    "publish_archive",
    "publish_folder",
    "publish_module_version",
    "put_compute",
    "register_dataset",
    "register_environment",
    "remove_compute",
    "save_dataset",
    "set_default",
    "unregister_dataset",
    "update_dataset",
    "update_endpoint",
    "update_module_version",
    "update_named_module",
    "why_disabled",
    "withdraw_datasets",
]
