"""Tell as JSON which packages an import loads, and what importing modules does besides.

Called with the import and the modules.
"""

import json
import sys
from importlib.metadata import packages_distributions

from sched_core.testing.importing import side_effects


def loaded_by(statement: str) -> list[str]:
    """Return the packages that are loaded after the import."""
    exec(statement)
    tops = {name.partition(".")[0] for name in sys.modules}
    owners = packages_distributions()
    return sorted({owner for top in tops for owner in owners.get(top, ())})


if __name__ == "__main__":
    _, statement, *modules = sys.argv
    # Before the rest, which loads one of our own.
    print(json.dumps({"loaded": loaded_by(statement), "side effects": side_effects(*modules)}))
