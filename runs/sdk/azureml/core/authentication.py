"""Ways to sign in. A step is signed in by its run's token, so these are taken and change nothing."""

from azureml._studio.limits import Partial, lend_names


class AbstractAuthentication(Partial):
    def __init__(self, *args, **kwargs):
        pass


class AzureCliAuthentication(AbstractAuthentication):
    pass


class InteractiveLoginAuthentication(AbstractAuthentication):
    pass


class MsiAuthentication(AbstractAuthentication):
    pass


class ServicePrincipalAuthentication(AbstractAuthentication):
    pass


lend_names(__name__)
