#!/usr/bin/env python
"""The command line of Pipeline Studio; `manage.py up` starts everything."""

import argparse
import os
import sys


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one reads a sentence
        sys.exit(
            "Pipeline Studio needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info)
        )
    # Settings are read once, when Django starts: the data folder has to be known before, for
    # every command alike.
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--data", metavar="DIR")
    options, arguments = parser.parse_known_args(sys.argv[1:])
    if options.data:
        os.environ["STUDIO_DATA"] = options.data
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
    try:
        from django.conf import settings  # noqa: PLC0415
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
        from django.core.management import execute_from_command_line  # noqa: PLC0415
        from django.db import OperationalError  # noqa: PLC0415
    except ImportError:
        sys.exit("Django is not installed here. Start with: pip install uv && uv run manage.py up")
    try:
        settings.STUDIO_DATA  # noqa: B018 - reads them
    except PermissionError as error:
        sys.exit(f"manage.py: cannot read {error.filename}: it belongs to another user")
    except ImproperlyConfigured as error:
        sys.exit(f"manage.py: {error}")
    try:
        execute_from_command_line([sys.argv[0], *arguments])
    except OperationalError as error:
        if "--traceback" in arguments:
            raise
        sys.exit(f"manage.py: the database refused: {error}")


if __name__ == "__main__":
    main()
