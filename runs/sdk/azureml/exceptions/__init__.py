"""Exceptions under the names that scripts catch."""


class AzureMLException(Exception):
    def __init__(self, exception_message="", **kwargs):
        super(AzureMLException, self).__init__(exception_message)
        self.message = exception_message


class UserErrorException(AzureMLException):
    """The call itself is wrong."""


class RunEnvironmentException(AzureMLException):
    """There is no run around this process."""


class ServiceException(AzureMLException):
    """The studio refused; `status_code` is its HTTP status, 0 when it could not be reached."""

    def __init__(self, exception_message="", status_code=0, **kwargs):
        super(ServiceException, self).__init__(exception_message)
        self.status_code = status_code


class WebserviceException(AzureMLException):
    """A model could not be found or registered."""


class ModelNotFoundException(WebserviceException):
    pass


class ModelPathNotFoundException(WebserviceException):
    pass


class DatasetValidationError(UserErrorException):
    """A dataset cannot be read as what it is asked to be."""


def _others(*names):
    """Make exceptions that nothing here raises, for scripts that catch them."""
    for name in names:
        globals()[name] = type(name, (AzureMLException,), {"__module__": __name__})


_others(
    "ActivityCanceledException",
    "ActivityFailedException",
    "AuthenticationException",
    "ComputeTargetException",
    "DatasetTimestampMissingError",
    "DiscoveryUrlNotFoundException",
    "ExperimentExecutionException",
    "ParallelRunException",
    "ProjectSystemException",
    "RunConfigurationException",
    "SnapshotException",
    "TrainingException",
    "WorkspaceException",
)
