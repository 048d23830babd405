"""What is wrong with a component that somebody is writing, as an editor shows it; no line of it is run."""

from pathlib import Path

from sptrader_desktop.adapters.component_catalogue import METHODS, core_of, read_component
from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.errors import ComponentError
from sptrader_desktop.present.component_output import linked
from sptrader_desktop.present.text_problems import TextProblem, line_problem


def examine_component(text: str, path: Path, catalogue: Catalogue | None = None) -> tuple[TextProblem, ...]:
    """It never raises. With a catalogue a signal's indicators are looked up too; a file outside of a workspace is only read as Python."""
    try:
        core = core_of(path)
        kind = path.resolve().relative_to(core).parts[0]
        if kind not in METHODS or path.name.startswith("_"):
            return ()
        spec = read_component(path.resolve(), core, kind, text.encode("utf-8", "replace"))
    except ComponentError as error:
        lines = (linked(line, path.resolve()) for line in str(error).splitlines())
        return tuple(line_problem(text, line.line or 1, line.text) for line in lines)
    unmet = catalogue.unmet(spec) if catalogue is not None else None
    return (line_problem(text, spec.line, unmet),) if unmet else ()
