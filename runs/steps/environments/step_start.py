"""Runs at the start of every Python in a step's environment. Standard library only, from Python 3.6 on.

A step may install packages. Because other steps share its environment, the packages go into a folder of
the attempt, which precedes the environment's own packages on the path. Also, `import azureml` finds our
package even if a repository has a folder of that name. `build` copies this file into each environment.
"""

import os
import sys


class Finder(object):
    """The first finder that is asked for a module; finds only `azureml`. `own` is the folder below
    `packages` where the step's own packages are installed."""

    def __init__(self, packages, own):
        self.packages = packages
        self.own = own

    def find_spec(self, name, path=None, target=None):
        if name == "pip":
            self.install_here()
        elif name == "azureml":
            return self.studios(name)
        elif "." not in name:
            self.look_again()
        return None

    def look_again(self):
        """Python remembers that `own` did not exist; forget that once another process has created it."""
        if sys.path_importer_cache.get(self.own, self) is None and os.path.isdir(self.own):
            del sys.path_importer_cache[self.own]

    def install_here(self):
        """pip is about to start: point it to `packages`. It installs below `sys.prefix`, and changes nothing
        elsewhere."""
        import shutil
        import sysconfig

        if sys.prefix == self.packages:
            return
        os.makedirs(self.packages, exist_ok=True)
        # pip expects this file below the prefix.
        shutil.copyfile(*(os.path.join(at, "pyvenv.cfg") for at in (sys.prefix, self.packages)))
        sys.prefix = sys.exec_prefix = self.packages
        names = ("prefix", "exec_prefix", "base", "platbase")
        sysconfig.get_config_vars().update(dict.fromkeys(names, self.packages))

    @staticmethod
    def studios(name):
        from importlib.machinery import PathFinder

        for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep):
            if os.path.isdir(os.path.join(folder, "azureml", "_studio")):
                return PathFinder.find_spec(name, [folder])
        return None


def begin():
    """Set up the finder, once, and only in a step's process, which has STUDIO_FACTS_DIR."""
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    facts = os.environ.get("STUDIO_FACTS_DIR")
    shared = os.path.dirname(os.path.abspath(__file__))
    if not facts or shared not in sys.path:
        return
    packages = os.path.join(os.path.dirname(facts), "packages")
    own = packages + shared[len(sys.prefix) :]
    sys.path.insert(sys.path.index(shared), own)
    sys.meta_path.insert(0, Finder(packages, own))
    try:
        lists = [name for name in os.listdir(own) if name.endswith(".pth")]
    except OSError:
        return
    if lists:
        import site

        for name in sorted(lists):
            site.addpackage(own, name, set())


begin()
