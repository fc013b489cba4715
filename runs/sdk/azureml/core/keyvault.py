from azureml._studio.limits import Partial, lend_names


class Keyvault(Partial):
    """The workspace's secrets, as far as this run may read them."""

    def __init__(self, workspace):
        self._workspace = workspace

    def get_secret(self, name):
        return self._workspace._wire.get("credential", "/secrets/" + name)["value"]

    def get_secrets(self, secrets):
        return {name: self.get_secret(name) for name in secrets}

    def set_secret(self, name, value):
        body = {"name": name, "value": value, "contentType": "text/plain"}
        self._workspace._wire.call("PUT", "credential", "/secrets", body=body)

    def set_secrets(self, secrets_batch):
        for name in secrets_batch:
            self.set_secret(name, secrets_batch[name])


lend_names(__name__)
