"""The `sptrader` command. Each command loads only what it needs; errors are one clear line, never a traceback."""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sptrader_desktop.core.errors import SptraderError, StrategyError

DONE, FAILED = 0, 1
AT_ONCE = {"stop", "rearm", "status"}  # these wait for nothing that they do not need


def run(arguments: Sequence[str]) -> int:
    _show_any_letter()
    if arguments and arguments[0] in AT_ONCE:
        from sptrader_desktop.cli.emergency import parser
    else:
        from sptrader_desktop.cli.options import parser
    chosen = parser().parse_args(arguments)
    try:
        if chosen.command in AT_ONCE:
            from sptrader_desktop.cli.emergency import COMMANDS
        else:
            from sptrader_desktop.cli.commands import COMMANDS
        code = COMMANDS[chosen.command](chosen)
        sys.stdout.flush()
        return code
    except StrategyError as error:
        count = len(error.problems)
        print(f"{error}\nsptrader: {count} problem{'' if count == 1 else 's'} in {error.source}", file=sys.stderr)
    except SptraderError as error:
        print(f"sptrader: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("sptrader: stopped; nothing was stored", file=sys.stderr)
    except BrokenPipeError:
        _hush()  # whoever read the beginning had enough; what was asked for is done
        return DONE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"sptrader: {where}{error.strerror or error}", file=sys.stderr)
    except Exception:  # noqa: BLE001  # the process's edge: a defect of ours must not look like a result
        print(f"sptrader: this is a defect of the program, please report it with {_kept_trace()}", file=sys.stderr)
    return FAILED


def _show_any_letter() -> None:
    """A terminal of few letters shows the others escaped; it must not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _hush() -> None:
    """Nobody reads any more (`| head`): what is still on its way out goes nowhere, without a complaint at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _kept_trace() -> Path:
    import tempfile
    import traceback

    trace = traceback.format_exc()
    with tempfile.NamedTemporaryFile("w", prefix="sptrader-defect-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(trace)
    return Path(file.name)
