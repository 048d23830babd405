"""How every command of the line is described: in one sentence, with the exit codes below."""

import argparse

EXIT_CODES = "exit codes: 0 done, 1 the thing asked for failed (one line says why), 2 the command was not understood"


def top_parser(about: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog="sptrader", description=about, epilog=EXIT_CODES, allow_abbrev=False)


def command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".", epilog=EXIT_CODES, allow_abbrev=False)
