"""Makes the environment of `make setup` and `make test`: virtual environment, hashed packages, console assets,
translations.

Run by any Python from 3.11 with only the standard library: `python3 tools/make_environment.py [--tests]`. Every step
leaves a stamp with the SHA-256 of what it was made from, so that a second run does only what changed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMPS = ENVIRONMENT / "sheka-stamps"
FRONTEND = ROOT / "src" / "sheka" / "faces" / "console" / "frontend"
BUILT = FRONTEND.parent / "static" / "console" / "build"


class Stop(Exception):
    """Ends the run with one sentence, in Chinese and English."""

    def __init__(self, chinese: str, english: str) -> None:
        super().__init__(f"{chinese}\n{english}")


def digest(paths: Iterable[Path], *more: str) -> str:
    """The SHA-256 over names and contents of files."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        total.update(f"\0{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def step(name: str, wanted: str, done: Callable[[], bool], work: Callable[[], None], say: str) -> None:
    """Do `work` unless its stamp says that it was done from the same inputs and `done` finds the result."""
    stamp = STAMPS / name
    if stamp.exists() and stamp.read_text() == wanted and done():
        return
    print(f"· {say}", flush=True)
    stamp.unlink(missing_ok=True)
    work()
    STAMPS.mkdir(exist_ok=True)
    stamp.write_text(wanted)


def run(command: list[str], chinese: str, english: str) -> None:
    """Run a command quietly; when it fails, show what it said and stop with one sentence."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-25:]), file=sys.stderr)
        raise Stop(chinese, english)


def make_virtual_environment() -> None:
    """A fresh .venv; without pip inside where the system has no ensurepip (Debian without python3-venv)."""
    if ENVIRONMENT.exists():
        shutil.rmtree(ENVIRONMENT)
    pip = [] if importlib.util.find_spec("ensurepip") else ["--without-pip"]
    command = [sys.executable, "-m", "venv", *pip, str(ENVIRONMENT)]
    run(command, "虚拟环境未能建立，见上。", "The virtual environment could not be made, see above.")


def environment_works() -> bool:
    """Whether .venv has a Python that runs and is the version of this one."""
    ask = f"import sys; raise SystemExit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    try:
        return subprocess.run([PYTHON, "-I", "-c", ask], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def pip(*arguments: str) -> None:
    """Run pip for .venv: its own, or that of the system."""
    inside = subprocess.run([PYTHON, "-I", "-c", "import pip"], capture_output=True, check=False).returncode == 0
    if not inside and importlib.util.find_spec("pip") is None:
        raise Stop(
            "缺少 pip：请安装 python3-pip 或 python3-venv。", "pip is missing: install python3-pip or python3-venv."
        )
    command = [str(PYTHON), "-m", "pip"] if inside else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-warn-script-location"]
    run([*command, *arguments, *options], "程序包未能安装，见上。", "The packages could not be installed, see above.")


def install(lock: str, *options: str) -> None:
    """Install what a lock names, hashes checked."""
    path = ROOT / "requirements" / lock
    step(
        lock,
        digest([path]),
        environment_works,
        lambda: pip("install", "--require-hashes", *options, "-r", str(path)),
        f"程序包 packages: {lock}",
    )


def install_sheka() -> None:
    """Put `sheka` itself into the environment, editable."""
    command = PYTHON.with_name("sheka")
    work = lambda: pip("install", "--no-build-isolation", "--no-deps", "--editable", str(ROOT))  # noqa: E731
    step("sheka", digest([ROOT / "pyproject.toml"], str(ROOT)), command.exists, work, "sheka")


def frontend_inputs() -> list[Path]:
    """Everything that the console's styles are made from, `node_modules` apart."""
    return [
        Path(folder) / file
        for folder, folders, files in os.walk(FRONTEND)
        if "node_modules" not in Path(folder).relative_to(FRONTEND).parts
        for file in files
    ]


def build_frontend() -> None:
    """npm ci and the build script, by the Node of the environment."""
    if (FRONTEND / "package.json").exists():
        command = [str(PYTHON), str(ROOT / "tools" / "build_frontend.py")]
        work = lambda: run(command, "控制台样式未能生成，见上。", "The console's styles could not be built, see above.")  # noqa: E731
        step("frontend", digest(frontend_inputs()), BUILT.is_dir, work, "控制台样式 console styles")


def compile_messages() -> None:
    """The translations, .po to .mo."""
    catalogues = list((ROOT / "src").rglob("locale/*/LC_MESSAGES/*.po"))
    command = [str(PYTHON), str(ROOT / "tools" / "compile_messages.py")]
    work = lambda: run(command, "译文未能编译，见上。", "The translations could not be compiled, see above.")  # noqa: E731
    done = lambda: all(path.with_suffix(".mo").exists() for path in catalogues)  # noqa: E731
    step("messages", digest(catalogues), done, work, "译文 translations")


def main() -> int:
    """Make what is missing. Status 0, or 1 after one clear sentence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also what the tests and linters need")
    parser.add_argument("--pcsc", action="store_true", help="also PC/SC, which compiles (swig, libpcsclite-dev)")
    given = parser.parse_args()
    try:
        if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this may have an older one
            raise Stop("需要 Python 3.11 或更新版本。", "Python 3.11 or newer is needed.")
        if not environment_works():
            print("· .venv", flush=True)
            make_virtual_environment()
        install("run.txt")
        if given.tests:
            install("test.txt")
        if given.pcsc:
            install("pcsc.txt", "--no-build-isolation")
        install_sheka()
        build_frontend()
        compile_messages()
    except Stop as stop:
        print(stop, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"不能写入 {error.filename}：{error.strerror}。\n{error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
