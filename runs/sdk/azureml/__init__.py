"""The part of the v1 SDK that scripts use inside a step: standard library only, Python >= 3.6.

The studio puts it on the path of steps whose environment has no real azureml-core. Facts (metrics,
tags, uploads) are left in files for the worker; questions go over REST with the step's own token.
"""

import sys

from azureml._studio.limits import Finder

sys.meta_path.append(Finder)
