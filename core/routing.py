"""The addresses of the apps' api modules, each of which is imported when the first of its addresses is asked for."""

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from importlib import import_module
from typing import Any

from django.urls import Resolver404, URLPattern, URLResolver, get_script_prefix
from django.urls.resolvers import RoutePattern
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language
from rest_framework.routers import Route, SimpleRouter

API = "api/v1/"
BULK = Route(
    url=r"^{prefix}/bulk{trailing_slash}$", name="{basename}-bulk", detail=False, initkwargs={}, mapping={"post": "bulk"},
)
# A reference may hold a slash, sent as %2F.
BY_REF = Route(
    url=r"^{prefix}/by-ref/(?P<external_ref>.+){trailing_slash}$", name="{basename}-by-ref", detail=True, initkwargs={},
    mapping={"get": "retrieve_by_ref", "put": "update_by_ref"},
)


def path_of(prefix: str, *parts: object) -> str:
    """The path of a resource, of a row of it or of an action. Django's `reverse` knows none of them (see Unnamed)."""
    return f"{get_script_prefix()}{API}{'/'.join(map(str, (prefix, *parts)))}/"


class Router(SimpleRouter):
    """Out of `routes` tables."""

    def __init__(self, *tables: Mapping[str, Any]) -> None:
        super().__init__()
        for table in tables:
            for prefix, viewset in table.items():
                viewset.prefix = prefix
                self.register(prefix, viewset, basename=prefix.replace("/", "-"))

    def get_routes(self, viewset: Any) -> list[Any]:
        """Before the single rows, whose pattern takes any word for an id."""
        own = [*([BULK] if viewset.takes_bulk() else []), *([BY_REF] if viewset.takes_refs() else [])]
        return [*own, *super().get_routes(viewset)]


class LateView:
    """A view of a module that need not be imported yet, not even for `reverse`, which asks for its name."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name
        self.__module__, self.__name__, self.__qualname__ = module, name, name

    def as_view(self) -> "LateView":
        return self

    @cached_property
    def _view(self) -> Any:
        return getattr(import_module(self._module), self._name).as_view()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._view(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "view_class":  # what it would be called instead
            raise AttributeError(name)
        return getattr(self._view, name)


class LateModule:
    """An api module, and the prefixes of its `routes`; its attributes are views."""

    def __init__(self, name: str, *prefixes: str) -> None:
        self.name, self.prefixes = name, prefixes

    @property
    def routes(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = getattr(import_module(self.name), "routes", {})
        return found

    def __getattr__(self, name: str) -> LateView:
        return LateView(self.name, name)


class Unnamed(URLResolver):
    """Addresses that `reverse` does not find: it would import all of them, whatever it looks for.

    With a namespace they are found by it nevertheless, because only then Django looks into them.
    """

    def _populate(self) -> None:
        language = get_language()
        self._reverse_dict[language] = MultiValueDict()
        self._namespace_dict[language] = self._app_dict[language] = {}  # type: ignore[attr-defined]  # Django's, as the other


class LatePaths(Unnamed):
    """The addresses of a module, each of which begins with one of these words."""

    def __init__(self, module: str, *words: str) -> None:
        super().__init__(RoutePattern(""), module)
        self.words = frozenset(words)

    def resolve(self, path: str) -> Any:
        if str(path).partition("/")[0] not in self.words:
            raise Resolver404({"path": path, "tried": []})
        return super().resolve(path)


class LateAddresses(Unnamed):
    """Those of a module's `routes`."""

    def __init__(self, module: LateModule) -> None:
        super().__init__(RoutePattern(""), module.name)
        self._late = module

    @property
    def segments(self) -> set[str]:
        return {prefix.partition("/")[0] for prefix in self._late.prefixes}

    @cached_property
    def url_patterns(self) -> list[Any]:
        return Router(self._late.routes).urls


class Routes:
    """The `routes` of several modules, in their order."""

    def __init__(self, *modules: LateModule) -> None:
        self._modules = modules
        _all.append(self)

    @property
    def urls(self) -> list[LateAddresses]:
        return [LateAddresses(module) for module in self._modules if module.prefixes]

    @cached_property
    def registry(self) -> list[tuple[str, Any, str]]:
        """Prefix, viewset and basename of each resource. Imports all the modules."""
        return Router(*(module.routes for module in self._modules)).registry


_all: list[Routes] = []


@cache
def resources() -> Mapping[str, Any]:
    """The first resource of each model, by its label. Imports every api module."""
    found: dict[str, Any] = {}
    for routes in _all:
        for _, viewset, _ in routes.registry:
            found.setdefault(viewset.model()._meta.label_lower, viewset)
    return found


@cache
def lists() -> Mapping[str, Any]:
    """The resources whose rows are the organization's, by prefix. Imports every api module."""
    return {prefix: viewset for routes in _all for prefix, viewset, _ in routes.registry if "/" not in prefix}


class BySegment(URLResolver):
    """Asks only the addresses that begin with the same word."""

    @cached_property
    def _words(self) -> Mapping[str, URLResolver]:
        by_word: dict[str, list[Any]] = {}
        for pattern in self.url_patterns:
            for word in _words(pattern):
                by_word.setdefault(word, []).append(pattern)
        return {word: URLResolver(self.pattern, patterns) for word, patterns in by_word.items()}

    def resolve(self, path: str) -> Any:
        if match := self.pattern.match(str(path)):
            word = match[0].partition("/")[0]
            if word in self._words:
                return self._words[word].resolve(path)
        return URLResolver(self.pattern, []).resolve(path)


def _words(pattern: URLPattern | URLResolver) -> Iterator[str]:
    if isinstance(pattern, LateAddresses):
        yield from pattern.segments
    else:
        yield str(pattern.pattern).partition("/")[0]
