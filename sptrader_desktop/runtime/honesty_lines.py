"""The line of a component that most likely breaks a rule: a hint for its author, found in the source and never a verdict."""

import ast
from collections.abc import Callable
from pathlib import Path

from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.runtime.honesty_plan import DETERMINISM, HIGHER_TIMEFRAMES, LIVE_WINDOW, LOOK_AHEAD, STATE, WARM_UP

# Names under which pandas and numpy offer what needs a later row, or all rows.
FROM_BEHIND = set(
    """
    bfill backfill interpolate roll gradient filtfilt sosfiltfilt sort_values argsort rank sort_index argmax argmin idxmax idxmin resample
    asfreq merge_asof convolve searchsorted
""".split()
)
OF_ALL_ROWS = set("max min mean std var median quantile sum nanmax nanmin nanmean nanstd percentile last".split())
BY_WINDOW = set("rolling expanding ewm".split())
CLOCK = set("time time_ns now today utcnow perf_counter perf_counter_ns monotonic monotonic_ns environ getenv".split())
CHANCE = CLOCK | set("random default_rng rand randn shuffle choice uniform normal getpid uuid1 uuid4 urandom id hash set frozenset".split())
OUTSIDE = CLOCK | set("open load loadtxt genfromtxt fromfile memmap urlopen connect read_text read_bytes glob iterdir".split())
METHODS = ("calculate", "evaluate")
Suspicion = Callable[[ast.AST], bool]


def likely_line(spec: ComponentSpec, check: str) -> int:
    """The suspicious line, else where the component computes."""
    module = _parsed(spec)
    methods = [node.lineno for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name in METHODS]
    return suspicious_line(spec, check) or next(iter(methods), spec.line)


def suspicious_line(spec: ComponentSpec, check: str) -> int | None:
    """The first line under the strongest suspicion."""
    module = _parsed(spec)
    if check in {WARM_UP, LIVE_WINDOW}:
        return next((node.lineno for node in ast.walk(module) if isinstance(node, ast.Constant) and node.value == "warm_up"), None)
    nodes = [node for statement in module.body if not _is_metadata_or_main(statement) for node in ast.walk(statement)]
    for suspicion in _suspicions(check, module):
        lines = [node.lineno for node in nodes if isinstance(node, ast.expr | ast.stmt) and suspicion(node)]
        if lines:
            return min(lines)
    return None


def _parsed(spec: ComponentSpec) -> ast.Module:
    try:
        return ast.parse(Path(spec.source).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def _suspicions(check: str, module: ast.Module) -> tuple[Suspicion, ...]:
    if check == LOOK_AHEAD:
        return (_looks_forward, _calls(FROM_BEHIND), _measures_all)
    if check == HIGHER_TIMEFRAMES:
        return (_calls({"resample", "asfreq", "Grouper", "groupby"}), _calls({"floor", "normalize", "date"}), _looks_forward)
    if check == DETERMINISM:
        return (lambda node: isinstance(node, ast.Set | ast.SetComp) or _calls(CHANCE)(node),)
    if check == STATE:
        kept = _made_once(module)
        return (lambda node: isinstance(node, ast.Global) or _changes(node, kept),)
    return (lambda node: _calls(OUTSIDE)(node) or _reads(node),)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _calls(names: set[str]) -> Suspicion:
    """Called by such a name, or taken like `os.environ[...]`."""
    return lambda node: (
        (isinstance(node, ast.Call) and _name(node.func) in names)
        or (isinstance(node, ast.Subscript) and _name(node.value) in names & {"environ"})
    )


def _looks_forward(node: ast.AST) -> bool:
    if isinstance(node, ast.Slice):
        return node.step is not None and _is_negative(node.step)
    if isinstance(node, ast.Subscript):
        return _name(node.value) in {"iloc", "values"} and _is_negative(node.slice)
    if not isinstance(node, ast.Call):
        return False
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    words = [value.value for value in given.values() if isinstance(value, ast.Constant)]
    steps = [*node.args[:1], given.get("periods", ast.Constant(0))]
    is_backwards = _name(node.func) in {"shift", "diff", "pct_change"} and any(_is_negative(step) for step in steps)
    return is_backwards or ("center" in given and True in words) or bool({"bfill", "backfill", "nearest", "forward"} & {*map(str, words)})


def _is_negative(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def _measures_all(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in OF_ALL_ROWS):
        return False
    return not any(_calls(BY_WINDOW)(inner) for inner in ast.walk(node.func.value))


def _reads(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node.func).startswith("read_")


def _made_once(module: ast.Module) -> set[str]:
    """Names that the file itself or its classes hold, and every call shares."""
    classes = [statement for statement in module.body if isinstance(statement, ast.ClassDef)]
    bodies = [module.body, *(statement.body for statement in classes)]
    targets = [target for body in bodies for part in body if isinstance(part, ast.Assign) for target in part.targets]
    targets += [part.target for body in bodies for part in body if isinstance(part, ast.AnnAssign)]
    return {_name(target) for target in targets} - {""}


def _changes(node: ast.AST, kept: set[str]) -> bool:
    """`CACHE[key] = …`, `Counter.calls += 1`, `SEEN.append(…)`."""
    if isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(it, ast.Subscript | ast.Attribute) and kept & {_name(part) for part in ast.walk(it)} for it in targets)
    changing = {"append", "add", "update", "setdefault", "extend", "pop", "insert", "clear"}
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in changing
        and _name(node.func.value) in kept
    )


def _is_metadata_or_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) or (
        isinstance(statement, ast.Assign) and any(_name(it).startswith("__") for it in statement.targets)
    )
