"""From where the text of each SQL statement comes, read from the code of the product.

`Reader.open` follows it through names, parameters, calls and what modules import of each other, until it ends in literals
and in names of tables and columns. What it cannot follow that far is open: it may hold input. Attributes of other objects
are not followed.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Function = ast.FunctionDef | ast.Lambda
Part = tuple[int | str, ...]  # which part of a value is meant: the index in a tuple, or EACH of a container
EACH = "*"

SINKS = ("execute", "executemany", "RawSQL", "raw", "extra", "fetch", "mogrify")
OF_THE_SCHEMA = {"db_table", "column", "attname", "_fields"}  # nobody makes models from input
QUOTED = {"Identifier", "Literal", "Placeholder", "quote_name"}  # the driver writes them as what they are
NUMBERS = {"len", "int", "range", "count"}
FORMATS = {"format", "join", "format_map"}
HANDS_ON = {  # methods that give what they are called on, or a part of it
    "items", "values", "keys", "get", "pop", "strip", "lower", "upper", "removeprefix", "removesuffix", "replace", "split",
    "copy", "as_string",
}
WRAPPERS = {"sorted", "tuple", "list", "set", "frozenset", "dict", "reversed", "str", "SQL", "cast", "iter", "next"}


@dataclass(frozen=True)
class Place:
    """A module's path, and the functions around an expression, the innermost first."""

    module: str
    around: tuple[Function, ...] = ()


@dataclass
class Project:
    trees: dict[str, ast.Module] = field(default_factory=dict)
    constants: dict[tuple[str, str], list[tuple[ast.expr, Part]]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    functions: dict[str, list[tuple[Place, ast.FunctionDef]]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, list[tuple[Place, ast.Call]]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[str, list[tuple[Place, ast.expr]]] = field(default_factory=lambda: defaultdict(list))
    fields: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))  # class, position
    classes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def read(cls, root: Path, files: list[Path]) -> "Project":
        project = cls()
        for path in files:
            name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            project.trees[name] = tree = ast.parse(path.read_text())
            for node in tree.body:
                for one in (node, *(inner for inner in ast.walk(node) if isinstance(inner, ast.comprehension))):
                    for target, value, part in bindings(one):
                        project.constants[name, target].append((value, part))
            project._walk(tree, Place(name))
        return project

    def _walk(self, node: ast.AST, place: Place) -> None:
        for child in ast.iter_child_nodes(node):
            self._note(child, place)
            inside = isinstance(child, ast.FunctionDef | ast.Lambda)
            self._walk(child, Place(place.module, (child, *place.around)) if inside else place)  # type: ignore[arg-type]

    def _note(self, node: ast.AST, place: Place) -> None:
        if isinstance(node, ast.FunctionDef):
            self.functions[node.name].append((Place(place.module, (node, *place.around)), node))
        elif isinstance(node, ast.ClassDef):
            self._note_class(node, place)
        elif isinstance(node, ast.Call):
            self.calls[name_of(node.func)].append((place, node))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self.imports[place.module, alias.asname or alias.name] = node.module or "", alias.name
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute):
                    self.attributes[target.attr].append((place, node.value))

    def _note_class(self, node: ast.ClassDef, place: Place) -> None:
        self.classes[place.module].add(node.name)
        position = 0
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                self.fields[statement.target.id].append((node.name, position))
                position += 1
            for target, value, part in bindings(statement):
                if not part:
                    self.attributes[target].append((place, value))

    @property
    def sinks(self) -> Iterator[tuple[Place, ast.expr]]:
        for name in SINKS:
            for place, call in self.calls[name]:
                yield from ((place, argument) for argument in call.args[:1])


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr, Part]]:
    """The names that a statement, a loop or a comprehension binds, and to which part of what."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _unpacked(target, node.value, ())
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
        yield from _unpacked(node.target, node.value, ())
    elif isinstance(node, ast.For | ast.comprehension):
        yield from _unpacked(node.target, node.iter, (EACH,))
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield from _unpacked(node.optional_vars, node.context_expr, ())
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield from _added(node.value)


def _added(call: ast.Call) -> Iterator[tuple[str, ast.expr, Part]]:
    """`name.append(value)` and its like bind what the name holds."""
    function = call.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and call.args:
        wrapped = ast.List(elts=[call.args[-1]])
        if function.attr in ("append", "add", "insert"):
            yield function.value.id, wrapped, ()
        elif function.attr in ("extend", "update"):
            yield function.value.id, call.args[0], ()


def _unpacked(target: ast.expr, value: ast.expr, part: Part) -> Iterator[tuple[str, ast.expr, Part]]:
    if isinstance(target, ast.Name):
        yield target.id, value, part
    elif isinstance(target, ast.Starred):
        yield from _unpacked(target.value, value, ())
    elif isinstance(target, ast.Tuple | ast.List):
        for index, element in enumerate(target.elts):
            yield from _unpacked(element, value, (*part, index))
    elif isinstance(target, ast.Subscript):  # a dict or a list gets an element
        wrapped = ast.List(elts=[value])
        yield from _unpacked(target.value, wrapped if not part else value, part)


class Reader:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.seen: set[tuple[int, str, Part]] = set()
        self.todo: list[tuple[Place, ast.expr, Part]] = []

    def open(self) -> set[str]:
        """The pieces of all SQL that do not end in literals, each as `module: code`."""
        found = set()
        for place, expression in self.project.sinks:
            self.follow(place, expression, ())
        while self.todo:
            place, node, part = self.todo.pop()
            how: Callable[[Place, ast.expr, Part], bool] = getattr(self, f"_{type(node).__name__.lower()}", self._unknown)
            if not how(place, node, part):
                found.add(f"{place.module}: {ast.unparse(node)}")
        return found

    def follow(self, place: Place, node: ast.expr, part: Part) -> None:
        key = (id(node), place.module, part)
        if key not in self.seen and not isinstance(node, ast.Constant) and len(part) < 6:
            self.seen.add(key)
            self.todo.append((place, node, part))

    def all(self, place: Place, nodes: list[ast.expr], part: Part = ()) -> bool:
        for node in nodes:
            self.follow(place, node, part)
        return True

    def _unknown(self, place: Place, node: ast.expr, part: Part) -> bool:
        return False

    # --- Expressions that are made of others -------------------------------------------------------------------

    def _joinedstr(self, place: Place, node: ast.JoinedStr, part: Part) -> bool:
        return self.all(place, [one.value for one in node.values if isinstance(one, ast.FormattedValue)])

    def _binop(self, place: Place, node: ast.BinOp, part: Part) -> bool:
        return self.all(place, [node.left, node.right], part)

    def _ifexp(self, place: Place, node: ast.IfExp, part: Part) -> bool:
        return self.all(place, [node.body, node.orelse], part)

    def _boolop(self, place: Place, node: ast.BoolOp, part: Part) -> bool:
        return self.all(place, node.values, part)

    def _namedexpr(self, place: Place, node: ast.NamedExpr, part: Part) -> bool:
        return self.all(place, [node.value], part)

    def _starred(self, place: Place, node: ast.Starred, part: Part) -> bool:
        return self.all(place, [node.value], (EACH, *part))

    def _tuple(self, place: Place, node: ast.Tuple | ast.List | ast.Set, part: Part) -> bool:
        elements = node.elts
        if part and isinstance(part[0], int) and not any(isinstance(one, ast.Starred) for one in elements):
            elements = elements[part[0]:part[0] + 1]
        return self.all(place, elements, part[1:])

    _list = _set = _tuple

    def _dict(self, place: Place, node: ast.Dict, part: Part) -> bool:
        spread = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
        whole = [*(key for key in node.keys if key is not None), *node.values]
        return self.all(place, spread, part) and self.all(place, whole, part[2:])

    def _listcomp(self, place: Place, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, part: Part) -> bool:
        return self.all(place, [node.elt], part[1:])

    _setcomp = _generatorexp = _listcomp

    def _dictcomp(self, place: Place, node: ast.DictComp, part: Part) -> bool:
        return self.all(place, [node.key, node.value], part[2:])

    def _subscript(self, place: Place, node: ast.Subscript, part: Part) -> bool:
        index = node.slice.value if isinstance(node.slice, ast.Constant) else EACH
        sliced = isinstance(node.slice, ast.Slice)
        return self.all(place, [node.value], part if sliced else (index if isinstance(index, int) else EACH, *part))

    # --- Names -------------------------------------------------------------------------------------------------

    def _name(self, place: Place, node: ast.Name, part: Part) -> bool:
        for depth, function in enumerate(place.around):
            here = Place(place.module, place.around[depth:])
            bound = [found for inner in ast.walk(function) for found in bindings(inner) if found[0] == node.id]
            for _, value, of in bound:
                self.follow(here, value, (*of, *part))
            if self._parameter(here, function, node.id, part) or bound:
                return True
        return self._of_a_module(place.module, node.id, part)

    def _of_a_module(self, module: str, name: str, part: Part) -> bool:
        for value, of in self.project.constants[module, name]:
            self.follow(Place(module), value, (*of, *part))
        if (module, name) in self.project.imports:
            source, original = self.project.imports[module, name]
            return source in self.project.trees and self._of_a_module(source, original, part)
        return bool(self.project.constants[module, name])

    def _parameter(self, place: Place, function: Function, name: str, part: Part) -> bool:
        """True if it is one; then it is what all who call give."""
        given = function.args
        if given.kwarg and given.kwarg.arg == name:
            return self._named_further(place, function, part)
        positional = [one.arg for one in (*given.posonlyargs, *given.args)]
        if name not in positional and name not in {one.arg for one in given.kwonlyargs}:
            return False
        defaults = dict(zip(positional[::-1], given.defaults[::-1], strict=False))
        defaults |= {one.arg: default for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default}
        calls = self._callers(place.module, function.name) if isinstance(function, ast.FunctionDef) else []
        index = positional.index(name) - (positional[0] in ("self", "cls")) if name in positional else None
        for where, call in calls:
            self._argument(where, call, index, name, part)
        if name in defaults:
            self.follow(place, defaults[name], part)
        return bool(calls or name in defaults)

    def _named_further(self, place: Place, function: Function, part: Part) -> bool:
        """`**name`: what callers give by names that the function does not have."""
        own = {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
        calls = self._callers(place.module, function.name) if isinstance(function, ast.FunctionDef) else []
        for where, call in calls:
            self.all(where, [one.value for one in call.keywords if one.arg not in own], part[2:])
        return bool(calls)

    def _callers(self, module: str, name: str) -> list[tuple[Place, ast.Call]]:
        """Those in the module itself and in modules that import it."""
        return [
            (place, call) for place, call in self.project.calls[name]
            if place.module == module or self.home(place.module, name) == module
        ]

    def home(self, module: str, name: str) -> str:
        """The module that defines what another imports under that name."""
        while (module, name) in self.project.imports:
            module, name = self.project.imports[module, name]
        return module

    def _argument(self, place: Place, call: ast.Call, index: int | None, name: str, part: Part) -> None:
        for keyword in call.keywords:
            if keyword.arg == name:
                self.follow(place, keyword.value, part)
        starred = next((number for number, one in enumerate(call.args) if isinstance(one, ast.Starred)), None)
        if index is not None and starred is not None and index >= starred:
            self.follow(place, call.args[starred].value, (index - starred, *part))  # type: ignore[attr-defined]
        elif index is not None and 0 <= index < len(call.args):
            self.follow(place, call.args[index], part)

    # --- Attributes and calls ----------------------------------------------------------------------------------

    def _attribute(self, place: Place, node: ast.Attribute, part: Part) -> bool:
        if node.attr in OF_THE_SCHEMA:
            return True
        if isinstance(node.value, ast.Name) and (place.module, node.value.id) in self.project.imports:
            source, original = self.project.imports[place.module, node.value.id]
            if f"{source}.{original}" in self.project.trees:
                return self._of_a_module(f"{source}.{original}", node.attr, part)
        own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        return own and self._own_attribute(place, node, part)

    def _own_attribute(self, place: Place, node: ast.Attribute, part: Part) -> bool:
        """Of `self`: what the module's classes say, and what their makers give."""
        known = False
        for where, value in self.project.attributes[node.attr]:
            if where.module == place.module:
                self.follow(where, value, part)
                known = True
        for owner, position in self.project.fields[node.attr]:
            if owner in self.project.classes[place.module]:
                for where, call in self.project.calls[owner]:
                    self._argument(where, call, position, node.attr, part)
                known = True
        return self._returned(place.module, node.attr, part, properties=True) or known

    def _call(self, place: Place, node: ast.Call, part: Part) -> bool:
        name, arguments = name_of(node.func), [*node.args, *(keyword.value for keyword in node.keywords)]
        if name in QUOTED | NUMBERS:
            return True
        if isinstance(node.func, ast.Attribute) and name in FORMATS:
            return self.all(place, [node.func.value]) and self.all(place, arguments)
        if isinstance(node.func, ast.Attribute) and name in HANDS_ON:
            self.all(place, arguments[1:] if name in ("get", "pop", "replace") else [], part)
            return self.all(place, [node.func.value], (EACH, *part) if name == "get" else part)
        if name in WRAPPERS:
            return self.all(place, arguments, part)
        if name in ("zip", "enumerate"):
            return self._paired(place, node, part)
        home = self.home(place.module, name) if isinstance(node.func, ast.Name) else place.module
        return self._returned(home, name, part)

    def _paired(self, place: Place, node: ast.Call, part: Part) -> bool:
        which = part[1] if len(part) > 1 and isinstance(part[1], int) else None
        if name_of(node.func) == "enumerate":
            return which == 0 or self.all(place, node.args[:1], (EACH, *part[2:]))
        return self.all(place, node.args if which is None else node.args[which:which + 1], (EACH, *part[2:]))

    def _returned(self, module: str, name: str, part: Part, properties: bool = False) -> bool:
        """What the project's functions of that name give."""
        known = False
        for place, function in self.project.functions[name]:
            if properties and not any("property" in name_of(one) for one in function.decorator_list):
                continue
            if place.module != module:
                continue
            known = True
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    self.follow(place, node.value, part)
                elif isinstance(node, ast.Yield) and node.value is not None:
                    self.follow(place, node.value, part[1:])
                elif isinstance(node, ast.YieldFrom):
                    self.follow(place, node.value, part)
        return known
