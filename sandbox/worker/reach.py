"""Which folders the sandbox's processes may read: the interpreter, its packages, their libraries. Nothing else."""

import site
import sys
import sysconfig
from pathlib import Path

_SYSTEM = (
    "/lib64",
    "/usr/lib64",
    "/usr/lib/locale",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/usr/share/fonts",
    "/dev/urandom",
)


def packages() -> list[str]:
    """Return the folders modules come from: standard library and installed packages, no checkout, no zip."""
    own = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    allowed = [Path(folder).resolve() for folder in [*own, *site.getsitepackages()]]
    return [
        entry for entry in sys.path if any(Path(entry).resolve().is_relative_to(folder) for folder in allowed)
    ]


def readable() -> list[Path]:
    """Return every file and folder a run may read outside its scratch folder."""
    library = sysconfig.get_config_var("LIBDIR")
    triple = sysconfig.get_config_var("MULTIARCH")
    libraries = [f"/lib/{triple}", f"/usr/lib/{triple}"] if triple else []
    found = dict.fromkeys([*packages(), *libraries, *([library] if library else []), *_SYSTEM])
    return [Path(path) for path in found if Path(path).exists()]
